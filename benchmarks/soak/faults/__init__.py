"""Faults, each made and taken back within seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.soak.faults.machine import MACHINE_FAULTS
from benchmarks.soak.faults.names import NAME_FAULTS
from benchmarks.soak.faults.nats import NATS_FAULTS
from benchmarks.soak.faults.store import STORE_FAULTS

if TYPE_CHECKING:
    from benchmarks.soak.stage import Fault

FAULTS: Final[dict[str, Fault]] = {**NATS_FAULTS, **MACHINE_FAULTS, **STORE_FAULTS, **NAME_FAULTS}
