"""`audit verify`: whether signed audit events are as they were written, and none is missing."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from adapters.audit.file_reader import read_file
from adapters.audit.reading import AuditReadError
from adapters.audit.signing import PURPOSE, public_key_of
from adapters.audit.stream_config import DEFAULT_STREAM, refused_stream
from adapters.audit.stream_reader import is_there, read_stream
from adapters.audit.verifying import Chain, KeyUnusableError, TrailVerifier
from adapters.crypto.xkey_file import XKeyFileError, xkey_in
from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.system.clock import SystemClock
from bootstrap.cli.audit_filter import Stream
from bootstrap.cli.progress import Advance, progress
from bootstrap.cli.reporting import FAILED, AsJson, CommandError, run
from bootstrap.cli.sessions import session
from bootstrap.cli.terminal import say, warn, write_json
from bootstrap.seed_rotation import next_of, retired_of
from bootstrap.settings import load_settings
from bootstrap.settings.service import KeySettings

_MAX_SHOWN = 20


def verify(
    *,
    files: Annotated[
        list[Path] | None,
        typer.Option("--file", help="Check this file; again for later ones.", dir_okay=False),
    ] = None,
    stream: Stream = DEFAULT_STREAM,
    keys: Annotated[
        list[str] | None,
        typer.Option(
            "--key", help="A public key, as audit.signing logs it; otherwise the server xkey's."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the signatures of audit events, and that none is missing between them.

    Exit code 1 if anything is wrong. What was cut off at the end, nothing can show.
    """

    async def check() -> list[_Verified]:
        public_keys = keys or _own_keys()
        clock = SystemClock()
        with progress("events checked", as_json=as_json) as advance:
            if files:
                lines = _one_after_the_other(files)
                return [await _check(lines, "the file", public_keys, advance)]
            found = []
            async with session()() as client:
                for name in (stream, refused_stream(stream)):
                    if name == stream or await is_there(client, name):
                        lines = read_stream(client, name, clock, since=0, follow=False)
                        found.append(await _check(lines, name, public_keys, advance))
            return found

    async def guarded_check() -> list[_Verified]:
        try:
            return await check()
        except (AuditReadError, KeyUnusableError, XKeyFileError) as error:
            advice = str(error)
        raise CommandError(advice)

    found = run(guarded_check)
    if as_json:
        write_json([one.as_object() for one in found])
    else:
        for one in found:
            one.show()
    if any(one.problems for one in found):
        raise typer.Exit(FAILED)


@dataclass(frozen=True, slots=True)
class _Verified:
    """What was found in one trail."""

    name: str
    events: int
    chains: Mapping[str, Chain]
    problems: list[str]

    def show(self) -> None:
        for problem in self.problems[:_MAX_SHOWN]:
            warn(f"{self.name}: {problem}.")
        if len(self.problems) > _MAX_SHOWN:
            warn(f"{self.name}: {len(self.problems) - _MAX_SHOWN} problems more.")
        verdict = f"{len(self.problems)} problems" if self.problems else "as written"
        say(f"{self.name}: {self.events} events in {len(self.chains)} chains, {verdict}.")
        for chain, seen in self.chains.items():
            begins = "" if seen.first == 1 else "; those before were removed"
            again = f"; {seen.repeated} stand there again" if seen.repeated else ""
            late = f"; {seen.late} behind later ones" if seen.late else ""
            say(f"  chain {chain}: {seen.first} to {seen.last}{begins}{again}{late}")

    def as_object(self) -> dict[str, object]:
        chains = [
            {
                "chain": chain,
                "first": seen.first,
                "last": seen.last,
                "repeated": seen.repeated,
                "late": seen.late,
            }
            for chain, seen in self.chains.items()
        ]
        return {
            "trail": self.name,
            "events": self.events,
            "chains": chains,
            "problems": self.problems,
        }


async def _one_after_the_other(files: list[Path]) -> AsyncIterator[bytes]:
    for path in files:
        async with aclosing(cast("Any", read_file(path, SystemClock(), follow=False))) as lines:
            async for line in lines:
                yield line


async def _check(
    lines: AsyncIterator[bytes], name: str, public_keys: list[str], advance: Advance
) -> _Verified:
    verifier = TrailVerifier(public_keys)
    problems: list[str] = []
    number = 0
    async for line in lines:
        number += 1
        advance(1)
        if (problem := verifier.check(line)) is not None:
            problems.append(f"event {number} {problem}")
    problems += verifier.missing()
    return _Verified(name, number, verifier.chains, problems)


def _own_keys() -> list[str]:
    settings = load_settings(KeySettings)
    given = (settings.server_xkey_seed, *settings.server_xkey_retired_seeds)
    pairs = [SodiumXKeyPair.from_seed(seed.get_secret_value()) for seed in given if seed]
    if (path := settings.server_xkey_seed_file) is not None:
        beside = (path, next_of(path), retired_of(path))
        found = [xkey_in("SERVER_XKEY_SEED_FILE", each) for each in beside]
        pairs += [pair for pair in found if pair is not None]
    if not pairs:
        raise CommandError(
            "Give --key, which the service logs as public_key of audit.signing, or set "
            "SERVER_XKEY_SEED_FILE or SERVER_XKEY_SEED as for the service."
        )
    return [public_key_of(pair.derive(PURPOSE)) for pair in pairs]
