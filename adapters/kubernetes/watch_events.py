"""What a watch says: a list at its begin, then lines with an event each; only metadata counts."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from adapters.kubernetes.answer import GONE, OK, read_object
from adapters.kubernetes.bounds import is_secret_name
from adapters.kubernetes.secret_object import State, read_state
from adapters.upstream.json_members import member_of
from domain.model.opaque import opaque

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Mapping

    from adapters.kubernetes.api import KubernetesApi


MAX_LINE_BYTES: Final = 4 * 1024 * 1024
"""Metadata without values: annotations may take 256 KiB, and etcd holds no object over 1.5 MiB."""

PAGE: Final = 500
METADATA: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class WatchError(Exception):
    """A watch cannot go on as it is; the text is for the log and holds nothing of the server's.

    Attributes:
        code: the status that the server gave, as an HTTP status or in an ERROR event; 0 if none.
        retry_after: seconds that the server asks to wait, where it does.
    """

    def __init__(self, text: str, code: int = 0, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.retry_after = retry_after


class WatchExpiredError(WatchError):
    """The server no longer knows what came after the resourceVersion that was asked for."""


class Kind(StrEnum):
    """What an event says of its object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"


@opaque
class Event:
    """One event.

    Attributes:
        version: resourceVersion up to which the watch is now complete.
        name: the Secret's name; "" for a bookmark.
        state: the Secret's state; None for a bookmark.
    """

    kind: Kind
    version: str
    name: str = ""
    state: State | None = None


async def read_lines(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Cut a body into its lines, whatever pieces it comes in.

    Raises:
        WatchError: a line is longer than any can be.
    """
    rest = bytearray()
    async for chunk in chunks:
        rest += chunk
        *lines, last = rest.split(b"\n")
        rest = bytearray(last)
        for line in lines:
            if line.strip():
                yield bytes(line)
        if len(rest) > MAX_LINE_BYTES:
            raise WatchError("a line of the watch is too long")
    if rest.strip():
        yield bytes(rest)


def read_event(line: bytes) -> Event:
    """Read one line.

    Raises:
        WatchExpiredError: it tells that the resourceVersion is too old: 410 inside a 200.
        WatchError: it tells another error, or is no event.
    """
    document = read_object(line)
    kind, found = document.get("type"), document.get("object")
    if kind == "ERROR" and isinstance(found, dict):
        code = found.get("code")
        raise error_for_status(code if isinstance(code, int) else 0, found.get("reason"))
    metadata = member_of(found, "metadata")
    if kind not in set(Kind) or not isinstance(metadata, dict):
        raise WatchError("a line of the watch is no event")
    kind = Kind(str(kind))
    if kind is Kind.BOOKMARK:
        version = metadata.get("resourceVersion")
        if not isinstance(version, str) or not version.isprintable() or not version:
            raise WatchError("a bookmark of the watch has no resourceVersion")
        return Event(kind, version)
    name, state = metadata.get("name"), read_state(metadata)
    if state is None or not isinstance(name, str) or not is_secret_name(name):
        raise WatchError("an event of the watch names no Secret")
    return Event(kind, state.resource_version, name, state)


def error_for_status(code: int, reason: object, retry_after: float | None = None) -> WatchError:
    """Return the error for a status, whether HTTP gave it or an ERROR event did."""
    if code == GONE or reason in {"Expired", "Gone"}:
        return WatchExpiredError("the resourceVersion is too old", GONE)
    return WatchError(f"the server ended the watch with status {code}", code, retry_after)


async def list_states(
    api: KubernetesApi, path: str, selector: Mapping[str, str]
) -> tuple[dict[str, State], str]:
    """Return the states of all Secrets by name, and the resourceVersion that they are of.

    Metadata only, page by page; the pages are of one version.

    Raises:
        WatchExpiredError: the list took so long that its version is forgotten.
        WatchError: the server refuses, or answers what is no list.
        SecretsError: there is no answer.
    """
    found: dict[str, State] = {}
    page: dict[str, str] = {}
    while True:
        query = {"limit": str(PAGE), **selector, **page}
        answer = await api.list(path, query, accept=METADATA_LIST)
        if answer.status != OK:
            raise error_for_status(answer.status, answer.reason, answer.retry_after)
        metadata, items = answer.document.get("metadata"), answer.document.get("items")
        if not isinstance(items, list):
            raise WatchError("the list is no list")
        found.update(_states(items))
        more, version = member_of(metadata, "continue"), member_of(metadata, "resourceVersion")
        if not isinstance(version, str) or not version:
            raise WatchError("the list has no resourceVersion")
        if not isinstance(more, str) or not more:
            return found, version
        page = {"continue": more}


def _states(items: list[object]) -> dict[str, State]:
    states: dict[str, State] = {}
    for item in items:
        metadata = member_of(item, "metadata")
        state, name = read_state(metadata), member_of(metadata, "name")
        if state is None or not isinstance(name, str):
            raise WatchError("an item of the list names no Secret")
        states[name] = state
    return states
