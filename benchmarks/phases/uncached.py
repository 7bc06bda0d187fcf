"""What a read costs that no cache answers: twenty hosts at once, right beside the store."""

from __future__ import annotations

import shutil
import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from benchmarks.figures import MILLISECONDS
from benchmarks.recorded_infisical import RecordedInfisical
from benchmarks.report import Row, Section
from benchmarks.stage import secret_name, set_up
from tests.support.certificates import Authority

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.service import Build
    from benchmarks.stage import Stage

HOSTS: Final = 20
_SECRETS: Final = 50
_TITLE: Final = f"Uncached reads, {HOSTS} hosts at once, right beside the store, one process"


@dataclass
class _Measured:
    """One build, and what its reads cost: CPU milliseconds and reads a second of each round."""

    stage: Stage
    cpu_ms: list[float] = field(default_factory=list)
    a_second: list[float] = field(default_factory=list)
    failures: int = 0

    async def add(self, keys: Sequence[str]) -> None:
        """Measure one round."""
        prepared = self.stage.prepare(keys)
        before = self.stage.service.cpu_seconds()
        result = await self.stage.send(keys, prepared, HOSTS)
        used = self.stage.service.cpu_seconds() - before
        self.cpu_ms.append(used * MILLISECONDS / len(keys))
        self.a_second.append(result.answered / result.seconds)
        self.failures += len(keys) - result.answered
        self.stage.service.shorten_log()


async def measure(
    settings: Mapping[str, str], builds: Sequence[Build], *, rounds: int, requests: int
) -> list[Section]:
    """Measure without TLS and with it, builds in turns; TLS needs openssl for its certificates."""
    sections = {build: Section(build.titled(_TITLE)) for build in builds}
    keys = [secret_name(number % _SECRETS) for number in range(requests)]
    with TemporaryDirectory(prefix="bench-") as folder:
        cases: dict[str, Authority | None] = {"plain": None}
        if shutil.which("openssl"):
            cases["TLS"] = Authority(Path(folder))
        for case, authority in cases.items():
            measured = await _measured(builds, authority, settings, keys, rounds)
            for build, each in measured.items():
                _report(sections[build], case, each, measured[builds[0]])
    return list(sections.values())


async def _measured(
    builds: Sequence[Build],
    authority: Authority | None,
    settings: Mapping[str, str],
    keys: Sequence[str],
    rounds: int,
) -> dict[Build, _Measured]:
    more = {"CACHE_TTL_SECONDS": "0", **_trusting(authority)}
    measured: dict[Build, _Measured] = {}
    async with AsyncExitStack() as opened:
        for build in builds:
            upstream = RecordedInfisical(0.0, _server(authority))
            await opened.enter_async_context(upstream)
            stage = await opened.enter_async_context(
                set_up({**settings, **more}, secrets=0, upstream_url=upstream.url, build=build)
            )
            await stage.introduce(keys)
            measured[build] = _Measured(stage)
        for _ in range(rounds):
            for each in measured.values():
                await each.add(keys)
    return measured


def _report(section: Section, case: str, each: _Measured, first: _Measured) -> None:
    cost = median(first.cpu_ms) / median(each.cpu_ms)
    speed = median(first.a_second) / median(each.a_second)
    beside = "" if each is first else f"this build: {cost:.2f} x its CPU, {speed:.1f} x its reads"
    section.rows += [
        Row(
            f"{case}: CPU {median(each.cpu_ms):.2f} ms each",
            f"{median(each.a_second):,.0f} a second",
            beside,
        ),
        Row(f"{case}: failures", f"{each.failures}"),
    ]
    section.figures[case] = {
        "cpu_ms": each.cpu_ms,
        "a_second": each.a_second,
        "failures": each.failures,
    }


def _trusting(authority: Authority | None) -> dict[str, str]:
    return {} if authority is None else {"INFISICAL_CA_FILE": str(authority.file)}


def _server(authority: Authority | None) -> ssl.SSLContext | None:
    if authority is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("store", "IP:127.0.0.1"))
    return context
