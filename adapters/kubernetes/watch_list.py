"""The list that a watch begins from where the server cannot send initial events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from adapters.kubernetes.error_map import OK
from adapters.kubernetes.secret_object import State, read_state
from adapters.kubernetes.watch_events import WatchError, error_for_status

if TYPE_CHECKING:
    from adapters.kubernetes.watch_api import WatchApi

PAGE: Final = 500
METADATA_LIST: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


async def list_states(
    api: WatchApi, path: str, selector: Mapping[str, str]
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
        answer = await api.get(path, query, accept=METADATA_LIST)
        if answer.status != OK:
            raise error_for_status(answer.status, answer.reason, answer.retry_after)
        metadata, items = answer.document.get("metadata"), answer.document.get("items")
        if not isinstance(metadata, Mapping) or not isinstance(items, list):
            raise WatchError("the list is no list")
        found.update(_states(items))
        more, version = metadata.get("continue"), metadata.get("resourceVersion")
        if not isinstance(version, str) or not version:
            raise WatchError("the list has no resourceVersion")
        if not isinstance(more, str) or not more:
            return found, version
        page = {"continue": more}


def _states(items: list[object]) -> dict[str, State]:
    states: dict[str, State] = {}
    for item in items:
        metadata = item.get("metadata") if isinstance(item, Mapping) else None
        state = read_state(metadata) if isinstance(metadata, Mapping) else None
        name = metadata.get("name") if isinstance(metadata, Mapping) else None
        if state is None or not isinstance(name, str):
            raise WatchError("an item of the list names no Secret")
        states[name] = state
    return states
