"""A Secret as the API server answers it, and the one value that a request is after."""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from typing import TYPE_CHECKING, NamedTuple

from adapters.kubernetes import reasons
from adapters.kubernetes.addressing import BINARY, TEXT
from domain.model.errors import InvalidRequest, SecretNotFound, UpstreamError
from domain.model.opaque import opaque
from domain.model.secret import SecretValue

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_TEXT = 128


class State(NamedTuple):
    """One state of one Secret: two Secrets made one after the other under a name differ in uid."""

    uid: str
    resource_version: str


@opaque
class SecretObject:
    """One Secret. `data`: its values, base64 as they came; a null value is ""."""

    namespace: str
    name: str
    state: State
    data: Mapping[str, str]

    @classmethod
    def read(cls, document: Mapping[str, object]) -> SecretObject | None:
        """Read an answer's body; None if it is no Secret."""
        metadata, data = document.get("metadata"), document.get("data")
        if document.get("kind") != "Secret" or not isinstance(metadata, dict):
            return None
        state = read_state(metadata)
        values = {} if data is None else data
        if state is None or not isinstance(values, dict):
            return None
        values = {key: "" if value is None else value for key, value in values.items()}
        if not all(isinstance(value, str) for value in values.values()):
            return None
        return cls(str(metadata.get("namespace")), str(metadata.get("name")), state, values)

    def value(self, key: str | None, encoding: str | None) -> SecretValue:
        """Return one value, or all of them as a JSON object.

        Args:
            key: the value's key in the Secret; None for all.
            encoding: "utf-8" or "binary" to have it so; None to have text as text and anything
                else as binary.

        Raises:
            SecretNotFound: the Secret has no such key.
            InvalidRequest: all values are asked for, and one is binary.
            UpstreamError: the value is no base64, or no text where text is wanted.
        """
        if key is None:
            return SecretValue(self._all(as_text=encoding != BINARY))
        if key not in self.data:
            raise SecretNotFound(
                "The Secret has no such key; check its spelling.", reason=reasons.KEY_NOT_FOUND
            )
        plain = _decoded(self.data[key])
        if encoding == BINARY:
            return SecretValue(plain)
        text = _as_text(plain)
        if text is None and encoding == TEXT:
            raise UpstreamError(
                'The value is no UTF-8 text; drop the policy property "encoding", or make it '
                '"binary".',
                reason=reasons.VALUE_NOT_TEXT,
            )
        return SecretValue(plain if text is None else text)

    def _all(self, *, as_text: bool) -> str | bytes:
        texts = {key: _as_text(_decoded(value)) for key, value in self.data.items()}
        if None in texts.values():
            raise InvalidRequest(
                "The Secret holds a binary value, which JSON cannot carry; ask for one value, by "
                "NAME/KEY or by a field.",
                reason=reasons.VALUES_NOT_TEXT,
            )
        document = json.dumps(texts, ensure_ascii=False, separators=(",", ":"))
        return document if as_text else document.encode()


def read_state(metadata: object) -> State | None:
    """Read uid and resourceVersion out of an object's metadata; None if they are not there."""
    if not isinstance(metadata, dict):
        return None
    uid, version = metadata.get("uid"), metadata.get("resourceVersion")
    for text in (uid, version):
        if not isinstance(text, str) or not 0 < len(text) <= _MAX_TEXT or not text.isprintable():
            return None
    return State(str(uid), str(version))


def _decoded(value: str) -> bytes:
    try:
        return b64decode(value.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        pass
    # Raised out here: the decoder's error could hold what it was given.
    raise UpstreamError(
        "The Kubernetes API server answered a value that is no base64; see the log of this "
        "backend for what stands between the two.",
        reason=reasons.ANSWER_UNREADABLE,
    )


def _as_text(value: bytes) -> str | None:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None
