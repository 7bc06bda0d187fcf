"""The pause that reads keep, as one of them sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.infisical.retry import Pause

if TYPE_CHECKING:
    from adapters.infisical.read_gate import ReadGate
    from domain.model.errors import UpstreamError
    from domain.model.reference import SecretLocation


@dataclass(frozen=True, slots=True)
class ReadPause(Pause):
    """Holds all reads back; who gives up for it has a place kept for the time it is told."""

    gate: ReadGate
    location: SecretLocation

    @override
    def extend(self, seconds: float) -> None:
        self.gate.extend(seconds)

    @override
    def error(self) -> UpstreamError:
        return self.gate.error(self.location)
