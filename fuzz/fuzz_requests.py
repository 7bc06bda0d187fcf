"""Fuzz the whole core, in-process: `python -m fuzz.fuzz_requests --count 1000000 --seconds 3600`.

`--target policies` fuzzes the reader of policy files, `patterns` the patterns in them, `jetstream`
what reads JetStream's answers, and `manifests` the checker of manifests.

With atheris installed (requirements-fuzz.txt) coverage guides the mutations; otherwise they come
from a seeded generator. It ends with exit code 1 at the first broken promise, and prints the bytes
that `--replay` takes.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import sys
import tempfile
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from adapters.system.clock import SystemClock

if TYPE_CHECKING:
    from collections import Counter

INPUT_BYTES = 384
WARM_UP = 50_000
FLAT_BYTES = 16 * 1024 * 1024
"""The most that memory may grow after the warm-up, caches filling up and all."""


class Target(Protocol):
    """What is attacked, as `fuzz.session.Session` has it."""

    sent: int
    outcomes: Counter[str]

    def attack(self, data: bytes) -> None: ...


def open_target(name: str) -> Target:
    """Set the target of that name up."""
    # Imported here, since atheris instruments what is imported while it looks.
    match name:
        case "policies":
            from fuzz.policies import PolicySession  # noqa: PLC0415  see above

            return PolicySession()
        case "patterns":
            from fuzz.patterns import PatternSession  # noqa: PLC0415  see above

            return PatternSession()
        case "jetstream":
            from fuzz.jetstream import JetStreamSession  # noqa: PLC0415  see above

            return JetStreamSession()
        case "manifests":
            from fuzz.manifests import ManifestSession  # noqa: PLC0415  see above

            return ManifestSession()
        case _:
            from fuzz.session import Session  # noqa: PLC0415  see above

            return Session()


@dataclass
class Run:
    """One time-boxed run; ends the process, since atheris' loop never returns."""

    session: Target
    engine: str
    count: int
    seconds: float
    baseline: int = 0
    clock: SystemClock = field(default_factory=SystemClock)

    def __post_init__(self) -> None:
        self._started = self.clock.monotonic()

    def one(self, data: bytes) -> None:
        """Send one attack; end the process when the run is over or a promise was broken."""
        try:
            self.session.attack(data)
        except Exception:  # noqa: BLE001  whatever it is, the bytes that led to it must be shown
            traceback.print_exc()
            say(f"broken after {self.session.sent} inputs; repeat with --replay {data.hex()}")
            leave(1)
        if self.session.sent == min(WARM_UP, self.count // 2):
            self.baseline = self.memory()
        if not self.session.sent % 1000:
            elapsed = self.clock.monotonic() - self._started
            if self.session.sent >= self.count or elapsed >= self.seconds:
                self.end(elapsed)

    def end(self, elapsed: float) -> None:
        """Print what was found and leave."""
        memory = self.memory()
        grown = memory - (self.baseline or memory)
        say(
            f"engine: {self.engine}, Python {sys.version.split()[0]}",
            f"inputs: {self.session.sent} in {elapsed:.0f} s, "
            f"{self.session.sent / elapsed:.0f} a second; no promise was broken",
            f"memory: {memory / 2**20:.1f} MiB, {grown / 2**20:+.1f} MiB since the warm-up",
            *(f"  {count:>9}  {name}" for name, count in self.session.outcomes.most_common()),
        )
        leave(0 if grown <= FLAT_BYTES else 1)

    @staticmethod
    def memory() -> int:
        from fuzz.session import resident_bytes  # noqa: PLC0415  atheris instruments it at import

        return resident_bytes()


def say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def leave(code: int) -> None:
    # atheris would take an ordinary exit for a crash.
    os._exit(code)


def run_seeded(options: argparse.Namespace) -> None:
    """Draw every attack from a seeded generator."""
    generator = random.Random(options.seed)  # noqa: S311  repeatable on purpose
    run = Run(
        open_target(options.target), f"seeded ({options.seed})", options.count, options.seconds
    )
    while True:
        run.one(generator.randbytes(INPUT_BYTES))


def run_atheris(options: argparse.Namespace) -> None:
    """Let atheris' libFuzzer look for new paths through the project's own code."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["domain", "adapters"]):
        target = open_target(options.target)

    run = Run(target, "atheris", options.count, options.seconds)
    generator = random.Random(options.seed)  # noqa: S311  repeatable on purpose
    with tempfile.TemporaryDirectory(prefix="fuzz-") as corpus:
        for number in range(256):
            Path(corpus, str(number)).write_bytes(generator.randbytes(INPUT_BYTES))
        atheris.Setup(
            [
                sys.argv[0],
                f"-max_len={INPUT_BYTES}",
                f"-seed={options.seed}",
                "-len_control=0",
                "-verbosity=0",
                "-rss_limit_mb=0",
                corpus,
            ],
            run.one,
        )
        atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--target",
        choices=["requests", "policies", "patterns", "jetstream", "manifests"],
        default="requests",
    )
    parser.add_argument("--count", type=int, default=1_000_000, help="requests to send")
    parser.add_argument("--seconds", type=float, default=3600, help="time box")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=["auto", "atheris", "seeded"], default="auto")
    parser.add_argument("--replay", help="send the one attack of these bytes (hexadecimal)")
    options = parser.parse_args()
    if options.replay is not None:
        Run(open_target(options.target), "replay", 1, 0).one(bytes.fromhex(options.replay))
        return
    has_atheris = importlib.util.find_spec("atheris") is not None
    if options.engine == "atheris" or (options.engine == "auto" and has_atheris):
        run_atheris(options)
    run_seeded(options)


if __name__ == "__main__":
    main()
