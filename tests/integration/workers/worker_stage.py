"""What the logs and the system say of the processes of one service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.service_process import ServiceProcess


Settings = dict[str, str]
STARTED = "workers.started"


def requests_of(service: ServiceProcess, worker: int) -> list[dict[str, Any]]:
    return [r for r in service.logged("secret_request") if r["worker"] == worker]


def is_there(pid: int) -> bool:
    try:
        stat = (Path("/proc") / str(pid) / "stat").read_text("ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(") ")[2][0] != "Z"


def shown_to_others(pid: int) -> bytes:
    folder = Path("/proc") / str(pid)
    return (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
