"""What goes back to the operator: hosts' answers without values, and the relay's own refusals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, final

import structlog

from adapters.wasmcloud2.filling import Running
from adapters.wasmcloud2.message import LIVES, MAX_BRACKETS, START, STATUS, STOP, WorkloadStatus
from adapters.wasmcloud2.redaction import Redaction
from domain.model.strict_json import MalformedJsonError, parse_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from adapters.wasmcloud2.filling import Given, HeldWorkloads
    from adapters.wasmcloud2.message import HostSubject
    from adapters.wasmcloud2.side import RawClient


STATE: Final = "WORKLOAD_STATE_"
ERROR: Final = "ERROR"

_BY: Final = "wasmcloud-secrets: "
"""Begins the text of each refusal, so that its reader knows that no host wrote it."""

_log = structlog.get_logger()


def refused(workload_id: str, message: str) -> bytes:
    """Write the answer of a host that could not start a workload."""
    status = {"workloadId": workload_id, "workloadState": f"{STATE}{ERROR}", "message": message}
    return json.dumps({"workloadStatus": status}).encode()


def read_status(body: bytes) -> WorkloadStatus | None:
    """Read a host's answer; None if it is none."""
    try:
        document = parse_json(body, max_brackets=MAX_BRACKETS)
    except MalformedJsonError:
        return None
    found = document.get("workloadStatus") if isinstance(document, dict) else None
    if not isinstance(found, dict):
        return None
    parts = [found.get(name, "") for name in ("workloadId", "workloadState", "message")]
    if not all(isinstance(part, str) for part in parts):
        return None
    return WorkloadStatus(parts[0], parts[1].removeprefix(STATE), parts[2])


def without(body: bytes, values: Iterable[str]) -> bytes:
    """Return an answer with each value replaced, in every text of it; the same bytes if in none."""
    redaction = Redaction(values)
    if not redaction:
        return body
    try:
        document = parse_json(body, max_brackets=MAX_BRACKETS)
    except MalformedJsonError:
        text = body.decode("utf-8", "replace")
        cleared = redaction.clear(text)
        return body if cleared == text else cleared.encode()
    cleared_document = _cleared(document, redaction)
    return body if cleared_document == document else json.dumps(cleared_document).encode()


def _cleared(node: Any, redaction: Redaction) -> Any:
    match node:
        case str():
            return redaction.clear(node)
        case list():
            return [_cleared(child, redaction) for child in node]
        case dict():
            return {
                redaction.clear(name): _cleared(child, redaction) for name, child in node.items()
            }
        case _:
            return node


@final
class Answers:
    """Answers on the operator's side. `held` learns from hosts' answers which workloads run."""

    def __init__(self, operator: RawClient, held: HeldWorkloads) -> None:
        self._operator = operator
        self._held = held

    def refuse(self, reply_to: bytes, workload_id: str, text: str) -> Awaitable[None] | None:
        """Answer as a host does that could not start a workload."""
        return self._publish(reply_to, refused(workload_id, f"{_BY}{text}"), b"")

    def give(
        self,
        reply_to: bytes,
        host: HostSubject,
        body: bytes,
        headers: bytes | None,
        given: Given | None,
    ) -> Awaitable[None] | None:
        """Pass a host's answer on.

        Args:
            reply_to: where the operator waits for it.
            host: which host answers, and what it was asked for.
            headers: its raw header block.
            given: what the workload was given, for the answer to a start.
        """
        status = read_status(body)
        cleared = without(body, self._values(host, status, given))
        if status is not None:
            self._learn(host, status, given)
        if cleared is not body:
            _log.warning("relay.value_redacted", host=host.host, what=host.what)
        return self._publish(reply_to, cleared, headers or b"")

    def _values(
        self, host: HostSubject, status: WorkloadStatus | None, given: Given | None
    ) -> Iterable[str]:
        if given is not None:
            return given.plain().values()
        if status is not None and host.what in {STATUS, STOP}:
            found = self._held.find(Running(host.host, status.workload_id))
            return () if found is None else found.plain().values()
        return [value for other in self._held.on(host.host) for value in other.plain().values()]

    def _learn(self, host: HostSubject, status: WorkloadStatus, given: Given | None) -> None:
        running = Running(host.host, status.workload_id)
        if host.what == START:
            if given is not None and status.state in LIVES:
                self._held.keep(running, given)
        elif status.state not in LIVES:
            self._held.forget(running)

    def _publish(self, reply_to: bytes, body: bytes, headers: bytes) -> Awaitable[None] | None:
        if not reply_to:
            return None
        try:
            return self._operator.publish_raw(reply_to, body, headers)
        except Exception as error:  # noqa: BLE001  the next answer's turn must come
            _log.warning("relay.message_unsent", side="operator", error=type(error).__name__)
            return None
