"""What each worker runs on: the supervisor's configuration, with what is the worker's own.

A worker inherits configuration and keys with the memory that it is forked with; only its history
goes over its socket. A command line is shown in process lists, and a file or variable would outlive
its reader.
"""

from __future__ import annotations

import json
import signal
from collections import Counter
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from adapters.metrics.worker_end import WorkerEnd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bootstrap.settings import Configuration


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


def config_of(configuration: Configuration, history: RestartHistory) -> Configuration:
    """Return the configuration of one worker; the admin HTTP of worker N is N ports further on."""
    update: dict[str, object] = {"workers": 1}
    if (shared := configuration.service.admin_address) is not None:
        update["admin_addr"] = str(shared._replace(port=shared.port + history.number))
    service = configuration.service.model_copy(update=update)
    return replace(configuration, service=service, history=history)


def write_history(history: RestartHistory) -> bytes:
    """Return it as one line."""
    document = {"worker": history.number, "ends": dict(history.ends)}
    return json.dumps(document).encode("ascii") + b"\n"


def read_history(line: bytes) -> RestartHistory:
    """Read what `write_history` wrote."""
    document = json.loads(line)
    ends = {WorkerEnd(end): count for end, count in document["ends"].items()}
    return RestartHistory(document["worker"], ends)
