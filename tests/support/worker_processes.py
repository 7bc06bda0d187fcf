"""The processes of a service with several workers, read from `/proc`.

The supervisor's children are two templates, and the workers are children of one of them; or of the
supervisor, once their template has ended.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.service_process import ServiceProcess


def templates_of(service: ServiceProcess) -> list[int]:
    """Return the templates' process ids: first the one that workers are forked from."""
    return [pid for pid in _below(service.pid) if _threads(pid) == 1]


def workers_of(service: ServiceProcess) -> list[int]:
    """Return the workers' process ids, in the order they were started."""
    return [pid for pid in _below(service.pid) if _threads(pid) > 1]


def _below(pid: int) -> list[int]:
    with suppress(FileNotFoundError, ProcessLookupError):  # ended meanwhile
        children = Path("/proc") / str(pid) / "task" / str(pid) / "children"
        own = [int(child) for child in children.read_text("ascii").split()]
        return [below for child in own for below in (child, *_below(child))]
    return []


def _threads(pid: int) -> int:
    """Return how many threads it has: a template has one, and a worker watches its supervisor."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return len(list((Path("/proc") / str(pid) / "task").iterdir()))
    return 0
