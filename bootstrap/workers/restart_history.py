"""How the processes ended that had a worker's place before it."""

from __future__ import annotations

import signal
from collections import Counter
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from adapters.metrics.catalogue import WorkerEnd

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIGNALLED = 128


@dataclass(frozen=True, slots=True)
class RestartHistory:
    """What a worker knows of its predecessors; without a supervisor there are none.

    Attributes:
        number: the worker's, from 0.
        ends: how many of them ended in each way.
    """

    number: int = 0
    ends: Mapping[WorkerEnd, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def count(self) -> int:
        """How often the place was taken again."""
        return sum(self.ends.values())

    def and_one(self, end: WorkerEnd) -> RestartHistory:
        """Return what the next one is to know."""
        return RestartHistory(self.number, Counter(self.ends) + Counter((end,)))


def end_of(exit_code: int) -> WorkerEnd:
    """Name the way a process ended. `exit_code`: as a shell counts it: 128 + n for signal n."""
    if exit_code == _SIGNALLED + signal.SIGKILL:
        return WorkerEnd.KILLED
    if exit_code > _SIGNALLED:
        return WorkerEnd.SIGNALLED
    return WorkerEnd.FAILED if exit_code else WorkerEnd.ENDED
