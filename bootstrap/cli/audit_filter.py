"""Which audit events `audit tail` shows."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from adapters.console.reasons import OBSERVED, reasons
from domain.model.errors import KeyProbe
from domain.model.messages import PROBE_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENTITY = ("entity", "entity_name", "workload_name")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """What an event must have to be shown; None is not looked at.

    Attributes:
        key: the key or the path, or the beginning of either.
        entity: the entity's key or name, or the workload's name, or the beginning of either.
        reason: the reason code.
        outcome: the outcome.
        errors_only: only what was not answered.
        everything: also what is no request for a secret, such as hosts that ask for the server's
            xkey, and probes of `keys rotate`.
    """

    key: str | None = None
    entity: str | None = None
    reason: str | None = None
    outcome: str | None = None
    errors_only: bool = False
    everything: bool = False

    def shows(self, event: Mapping[str, Any]) -> bool:
        """Say whether an event is to be shown."""
        if not self.everything and _is_traffic(event):
            return False
        if self.errors_only and event.get("outcome") == "answered":
            return False
        return (
            _begins(event, ("key", "path"), self.key)
            and _begins(event, _ENTITY, self.entity)
            and self.reason in {None, event.get("reason")}
            and self.outcome in {None, event.get("outcome")}
        )


def doubt_of_reason(code: str) -> str | None:
    """Return what a person should know who asks for a reason that this version does not write.

    A trail may hold others: of another version, or of a store that is not shipped.
    """
    known = reasons()
    if code.removeprefix(OBSERVED) in known:
        return None
    near = get_close_matches(code, known, n=1)
    hint = f"Did you mean {near[0]}?" if near else "docs/reasons.md lists those it writes."
    return f"This version writes no reason {code}. {hint}"


def _is_traffic(event: Mapping[str, Any]) -> bool:
    """Say whether it is part of the protocol alone; a refusal that names no key is not."""
    if event.get("operation") == "server_xkey" or event.get("key") == PROBE_KEY:
        return True
    # Summed up, the events of probes name no key.
    return event.get("reason") == KeyProbe.default_reason


def _begins(event: Mapping[str, Any], names: tuple[str, ...], wanted: str | None) -> bool:
    return wanted is None or any(str(event.get(name, "")).startswith(wanted) for name in names)
