"""What `audit verify` checks of a trail, and by which keys."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from adapters.audit.file_reader import read_file
from adapters.audit.signing import PURPOSE, public_key_of
from adapters.audit.stream_names import refused_stream
from adapters.audit.stream_reader import is_there, read_stream
from adapters.audit.verifying import Chain, TrailVerifier
from adapters.crypto.xkey_file import xkey_in
from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.system.clock import SystemClock
from bootstrap.cli.nats_session import open_nats
from bootstrap.cli.reporting import CommandError
from bootstrap.cli.terminal import progress, say, warn
from bootstrap.seed_rotation import next_of, retired_of
from bootstrap.settings import load_settings
from bootstrap.settings.service import KeySettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from bootstrap.cli.terminal import Advance

_MAX_SHOWN: Final = 20
_SHOWN_OF_A_CHAIN: Final = ("first", "last", "repeated", "late")


@dataclass(frozen=True, slots=True)
class VerifiedTrail:
    """What was found in one trail."""

    name: str
    events: int
    chains: Mapping[str, Chain]
    problems: list[str]

    def show(self) -> None:
        """Write it for a person."""
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
        """Return it for a program."""
        return {
            "trail": self.name,
            "events": self.events,
            "chains": [
                {"chain": name, **{each: getattr(seen, each) for each in _SHOWN_OF_A_CHAIN}}
                for name, seen in self.chains.items()
            ],
            "problems": self.problems,
        }


async def verified_trails(
    files: list[Path] | None, stream: str, keys: list[str] | None, *, as_json: bool
) -> list[VerifiedTrail]:
    """Check files as one trail, or else a stream and the one beside it. `keys`: public keys to
    check by; None for those of the settings.

    Raises:
        AuditReadError: events cannot be read.
        KeyUnusableError: a key is none.
        CommandError: there are no keys.
    """
    public_keys = keys or _own_keys()
    clock = SystemClock()
    with progress("events checked", as_json=as_json) as advance:
        if files:
            return [await _verified(_lines_of(files), "the file", public_keys, advance)]
        found = []
        async with open_nats() as client:
            for name in (stream, refused_stream(stream)):
                if name == stream or await is_there(client, name):
                    lines = read_stream(client, name, clock, since=0, follow=False)
                    found.append(await _verified(lines, name, public_keys, advance))
        return found


async def _lines_of(files: list[Path]) -> AsyncIterator[bytes]:
    for path in files:
        async with aclosing(cast("Any", read_file(path, SystemClock(), follow=False))) as lines:
            async for line in lines:
                yield line


async def _verified(
    lines: AsyncIterator[bytes], name: str, public_keys: list[str], advance: Advance
) -> VerifiedTrail:
    verifier = TrailVerifier(public_keys)
    problems: list[str] = []
    number = 0
    async for line in lines:
        number += 1
        advance(1)
        if (problem := verifier.check(line)) is not None:
            problems.append(f"event {number} {problem}")
    problems += verifier.missing()
    return VerifiedTrail(name, number, verifier.chains, problems)


def _own_keys() -> list[str]:
    """Return the public keys that belong to the server xkeys of the settings."""
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
