"""Memory and descriptors of the service's processes, all through the run."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from statistics import linear_regression, median
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_EVERY_SECONDS: Final = 1.0
_HOUR: Final = 3600.0
_WARM_UP: Final = 0.2
"""The part of a run in which caches and pools fill up, which no growth is read from."""


class Usage(NamedTuple):
    """All processes together at one moment: monotonic seconds, MiB resident, descriptors."""

    at: float
    mebibytes: float
    descriptors: int


def usage(processes: Iterable[int], now: float) -> Usage:
    """Return what these processes use; one that has ended uses nothing."""
    mebibytes, descriptors = 0.0, 0
    for pid in processes:
        with suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
            resident = [line for line in status if line.startswith("VmRSS:")]
            mebibytes += sum(int(line.split()[1]) for line in resident) / 1024
            descriptors += len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Usage(now, mebibytes, descriptors)


class UsageLog:
    """Looks once a second, until it is stopped."""

    def __init__(self, processes: Callable[[], Iterable[int]]) -> None:
        self._processes = processes
        self.samples: list[Usage] = []

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            with suppress(OSError):  # between the end of a worker and the next one
                self.samples.append(usage(self._processes(), loop.time()))
            await asyncio.sleep(_EVERY_SECONDS)

    def text(self) -> str:
        """Return what it came to, as sentences."""
        warm = self.samples[int(len(self.samples) * _WARM_UP) :]
        third = max(1, len(warm) // 3)
        first, last = warm[:third], warm[-third:]
        slope = linear_regression([u.at for u in warm], [u.mebibytes for u in warm]).slope
        return (
            "Memory of all processes (MiB, median): "
            f"{_mebibytes(first)} in the first third after a warm-up of a fifth, "
            f"{_mebibytes(last)} in the last, {max(u.mebibytes for u in warm):.0f} at most, "
            f"{slope * _HOUR:+.0f} an hour. "
            f"Descriptors: {_descriptors(first)}, {_descriptors(last)}, "
            f"{max(u.descriptors for u in warm)} at most."
        )


def _mebibytes(samples: Sequence[Usage]) -> str:
    return f"{median(u.mebibytes for u in samples):.0f}"


def _descriptors(samples: Sequence[Usage]) -> str:
    return f"{median(u.descriptors for u in samples):.0f}"
