"""The processes of a service with several workers, read from `/proc`.

The supervisor's only child is the template, and the template's children are the workers.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.service_process import ServiceProcess


def template_of(service: ServiceProcess) -> list[int]:
    """Return the template's process id, alone; empty if it has ended."""
    return _children_of(service.pid)


def workers_of(service: ServiceProcess) -> list[int]:
    """Return the workers' process ids, in the order they were started."""
    return [pid for template in template_of(service) for pid in _children_of(template)]


def _children_of(pid: int) -> list[int]:
    children = Path("/proc") / str(pid) / "task" / str(pid) / "children"
    return [int(child) for child in children.read_text("ascii").split()]
