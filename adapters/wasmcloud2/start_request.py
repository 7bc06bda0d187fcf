"""The request that starts a workload, and the places in it where a reference may stand.

JSON as `proto/wasmcloud/runtime/v2/workload.proto` of wasmCloud maps to it. The released host takes
every member in camel case and in the proto's own snake case (measured on 2.10.4), so both are read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from adapters.wasmcloud2.message import MAX_BRACKETS
from domain.model.errors import InvalidRequest, SecretsError
from domain.model.messages import MAX_NAME_LENGTH
from domain.model.secret_uri import mentions_secret, parse_secret_uri
from domain.model.strict_json import MalformedJsonError, parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from domain.model.secret_uri import SecretUri

MAX_REFERENCES: Final = 256
"""Of one request; a workload with more is refused."""

_EACH: Final = "[]"
_ANY: Final = "*"
_PLACES: Final = (
    ("workload", "witWorld", "hostInterfaces", _EACH, "config", _ANY),
    ("workload", "witWorld", "components", _EACH, "localResources", "environment", _ANY),
    ("workload", "service", "localResources", "environment", _ANY),
)
_SPELLINGS: Final = {
    "wit_world": "witWorld",
    "host_interfaces": "hostInterfaces",
    "local_resources": "localResources",
    "workload_id": "workloadId",
}
_SHOWN: Final = 64


@dataclass(frozen=True, slots=True)
class Place:
    """Where one reference stands.

    Attributes:
        holder: the object whose member `name` is replaced.
        shown: the place in words, such as `witWorld.hostInterfaces[0].config.db`.
        text: the reference as it stands there.
    """

    holder: dict[str, Any] = field(repr=False)
    name: str
    shown: str
    text: str
    reference: SecretUri


@dataclass(frozen=True, slots=True)
class StartRequest:
    """One request, read.

    Attributes:
        workload_id: as the operator chose it; empty if it chose none.
        places: every reference in it.
    """

    workload_id: str
    namespace: str
    name: str
    places: tuple[Place, ...]
    document: dict[str, Any] = field(repr=False)

    def filled(self, values: Mapping[str, str]) -> bytes:
        """Write the request with values in the places of their references, by these' texts."""
        try:
            for place in self.places:
                place.holder[place.name] = values[place.text]
            return json.dumps(self.document, separators=(",", ":")).encode()
        finally:
            for place in self.places:
                place.holder[place.name] = place.text


class UnreadableStartError(InvalidRequest):
    """The request is refused as it stands. `workload_id`: as far as it could be read."""

    default_reason = "start_request_malformed"
    workload_id = ""


def read_start(body: bytes) -> StartRequest:
    """Read one request.

    Raises:
        UnreadableStartError: it is no JSON object, or a reference in it cannot be read or stands
            where none may. Its advice shows places and nothing of what stands there.
    """
    try:
        document = parse_json(body, max_brackets=MAX_BRACKETS)
    except MalformedJsonError:
        document = None
    if not isinstance(document, dict):
        raise UnreadableStartError(
            f"The start request is no JSON object, or has more than {MAX_BRACKETS} objects and "
            "lists; check the client."
        )
    workload = document.get("workload")
    workload_id = _text(document, "workloadId") or _text(document, "workload_id")
    try:
        places = tuple(_places(document))
        if len(places) > MAX_REFERENCES:
            raise InvalidRequest(f"A workload may have {MAX_REFERENCES} references; use fewer.")
        names = _text(workload, "namespace"), _text(workload, "name")
        if any(len(name) > MAX_NAME_LENGTH for name in (*names, workload_id)):
            raise InvalidRequest(
                f"A workload's id, namespace and name have at most {MAX_NAME_LENGTH} characters."
            )
    except SecretsError as error:
        refused = UnreadableStartError(error.advice, reason=error.reason)
        refused.workload_id = workload_id[:MAX_NAME_LENGTH]
    else:
        return StartRequest(workload_id, *names, places, document)
    raise refused


def mentions_in(body: bytes) -> bool:
    """Say whether any text of a JSON document, or one that is none, mentions a reference."""
    plain = body.decode("utf-8", "replace")
    if "\\" not in plain:
        return mentions_secret(plain)
    try:
        document = parse_json(body, max_brackets=MAX_BRACKETS)
    except MalformedJsonError:
        return mentions_secret(plain.replace("\\", ""))
    return any(mentions_secret(text) for _, _, text, _ in _texts(document))


def _text(holder: object, name: str) -> str:
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, str) else ""


def _places(document: dict[str, Any]) -> Iterator[Place]:
    for holder, name, text, path in _texts(document):
        if not mentions_secret(text):
            continue
        shown = _in_words(path)
        if holder is None or not any(_fits(path, place) for place in _PLACES):
            raise InvalidRequest(
                f"A reference to a secret stands at {shown}, where none is filled in; references "
                "belong into config of hostInterfaces and environment of localResources.",
                reason="secret_uri_misplaced",
            )
        try:
            reference = parse_secret_uri(text)
        except InvalidRequest as error:
            raise InvalidRequest(f"{shown}: {error.advice}", reason=error.reason) from None
        yield Place(holder, name, shown, text, reference)


def _texts(
    node: object, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[dict[str, Any] | None, str, str, tuple[str | int, ...]]]:
    """Give every text: the object that it is a member of, its name, itself, and its path.

    A member's own name is a text of no object, since nothing is filled in there.
    """
    if isinstance(node, dict):
        for name, child in node.items():
            here = (*path, _SPELLINGS.get(str(name), str(name)))
            yield None, "", name, here
            if isinstance(child, str):
                yield node, name, child, here
            else:
                yield from _texts(child, here)
    elif isinstance(node, list):
        for index, child in enumerate(node):
            if isinstance(child, str):
                yield None, "", child, (*path, index)
            else:
                yield from _texts(child, (*path, index))


def _fits(path: tuple[str | int, ...], place: tuple[str, ...]) -> bool:
    return len(path) == len(place) and all(
        part == wanted or (wanted == _ANY and isinstance(part, str))
        if wanted != _EACH
        else isinstance(part, int)
        for part, wanted in zip(path, place, strict=True)
    )


def _in_words(path: tuple[str | int, ...]) -> str:
    words = ""
    for part in path[1:] if path[:1] == ("workload",) else path:
        if isinstance(part, int):
            words += f"[{part}]"
        else:
            # A name is the peer's: one that holds a reference itself, or steers a terminal, is not
            # repeated.
            plain = len(part) <= _SHOWN and part.isprintable() and not mentions_secret(part)
            words += f".{part if plain else '…'}"
    return words.removeprefix(".")


def workload_id_of(body: bytes) -> str:
    """Return the workload's id in any request; empty if it names none."""
    try:
        document = parse_json(body, max_brackets=MAX_BRACKETS)
    except MalformedJsonError:
        return ""
    return _text(document, "workloadId") or _text(document, "workload_id")
