"""What `audit verify` checks of a trail, and by which keys."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from adapters.audit.file_reader import read_file
from adapters.audit.signing import PURPOSE, public_key_of
from adapters.audit.verifying import Chain, TrailVerifier
from adapters.crypto.xkey_file import xkey_in
from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.system.clock import SystemClock
from bootstrap.cli.reporting import CommandError
from bootstrap.cli.terminal import say, warn
from bootstrap.seed_rotation import next_of, retired_of
from bootstrap.settings import load_settings
from bootstrap.settings.service import KeySettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from bootstrap.cli.progress import Advance

_MAX_SHOWN: Final = 20


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


async def one_after_the_other(files: list[Path]) -> AsyncIterator[bytes]:
    """Yield the lines of several files."""
    for path in files:
        async with aclosing(cast("Any", read_file(path, SystemClock(), follow=False))) as lines:
            async for line in lines:
                yield line


async def verified(
    lines: AsyncIterator[bytes], name: str, public_keys: list[str], advance: Advance
) -> VerifiedTrail:
    """Check the lines of one trail.

    Raises:
        AuditReadError: they cannot be read.
        KeyUnusableError: a key is none.
    """
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


def own_keys() -> list[str]:
    """Return the public keys that belong to the server xkeys of the settings.

    Raises:
        SettingsError: they cannot be read.
        XKeyFileError: a seed file cannot be used.
        CommandError: there are none.
    """
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
