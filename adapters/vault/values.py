"""From an answer to a read to a secret that may be served.

A secret is a JSON object: without a field it is served as JSON text, and the core selects fields.
What the two versions of the engine answer was measured on OpenBao 2.6.2:

- version 2: `data.data` is the value, `data.metadata` tells the version. `{}` and `null` are
  values. A deleted or destroyed version is a 404 with a body; nothing falls back to an older one. A
  200 may have a `deletion_time`, which then lies ahead.
- version 1: `data` is the value. There are no versions, and `lease_duration` is advice for how long
  to keep the value, not a lease.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from adapters.vault import reasons
from adapters.vault.wire import whole_number
from domain.model.errors import SecretNotFound, UpstreamError
from domain.model.json_field import json_text
from domain.model.secret import Secret, SecretValue
from domain.model.strict_json import NumberText

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.vault.wire import Answer
    from domain.model.reference import SecretLocation

UNVERSIONED = "unversioned"
"""`Secret.version` of a secret in an engine of version 1."""

MAX_EXACT = 2**53
"""Whole numbers up to this are exact in a 64-bit float."""

_MAX_DIGITS = 15
"""As many significant digits any decimal number keeps in a 64-bit float."""

_FRACTION = re.compile(r"-?([0-9]+)\.([0-9]+)", re.ASCII)


def read_versioned(
    answer: Answer, location: SecretLocation, version: str | None, now: float
) -> Secret:
    """Read an answer 200 of an engine of version 2.

    Args:
        version: the version asked for; None for the latest.
        now: seconds since the epoch, to tell how long the value lasts.

    Raises:
        SecretNotFound: the version is deleted or destroyed, or another came than was asked for.
        UpstreamError: the answer is none of this engine's, or must not be passed on.
    """
    data = _plain_data(answer)
    metadata = data.get("metadata")
    if not isinstance(metadata, dict) or "data" not in data:
        raise _unreadable(answer)
    served = whole_number(metadata.get("version"))
    value = data["data"]
    if served is None or served < 1 or not (value is None or isinstance(value, dict)):
        raise _unreadable(answer)
    if whole_number(answer.member("lease_duration")) != 0:
        # Advice that only version 1 gives: its values can look like an answer of version 2.
        raise _unreadable(answer)
    if metadata.get("destroyed") is not False:
        raise gone(answer)
    if version is not None and str(served) != version:
        raise SecretNotFound(
            "Vault does not serve that version; ask for another, or for the latest.",
            reason=reasons.VERSION_NOT_FOUND,
            upstream_request_id=answer.request_id,
        )
    lasts = _lasts(metadata.get("deletion_time"), now, answer)
    custom = metadata.get("custom_metadata")
    says_base64 = isinstance(custom, dict) and custom.get("encoding") == "base64"
    return Secret(
        version=str(served),
        value=SecretValue(json_text(value)),
        upstream_request_id=answer.request_id,
        max_age_seconds=lasts,
        note=reasons.NUMBERS_INEXACT if _may_be_inexact(value) else None,
        field_encoding=_encoding(location, says_base64=says_base64),
    )


def read_unversioned(answer: Answer, location: SecretLocation) -> Secret:
    """Read an answer 200 of an engine of version 1.

    Raises:
        UpstreamError: the answer is none of this engine's, or must not be passed on.
    """
    value = _plain_data(answer)
    advice = whole_number(answer.member("lease_duration"))
    return Secret(
        version=UNVERSIONED,
        value=SecretValue(json_text(value)),
        upstream_request_id=answer.request_id,
        max_age_seconds=None if not advice or advice < 0 else float(advice),
        field_encoding=_encoding(location, says_base64=False),
    )


def gone(answer: Answer) -> SecretNotFound:
    """Return the error for a version that is gone, from its metadata."""
    if answer.member("data", "metadata", "destroyed") is True:
        return SecretNotFound(
            "That version of the secret was destroyed for good; write a new one, or ask for "
            "another version.",
            reason=reasons.VERSION_DESTROYED,
            upstream_request_id=answer.request_id,
        )
    return SecretNotFound(
        "That version of the secret is deleted; undelete it, write a new one, or ask for another "
        "version.",
        reason=reasons.VERSION_DELETED,
        upstream_request_id=answer.request_id,
    )


def _plain_data(answer: Answer) -> Mapping[str, object]:
    if answer.member("lease_id") not in {None, ""}:
        raise UpstreamError(
            "The answer is a lease, so that the mount makes credentials instead of keeping "
            "secrets; name a key-value mount.",
            reason=reasons.ANSWER_LEASED,
            upstream_request_id=answer.request_id,
        )
    if answer.member("wrap_info") is not None:
        raise UpstreamError(
            "The answer is wrapped, which this backend never asks for; look for a proxy before "
            "Vault that adds X-Vault-Wrap-TTL.",
            reason=reasons.ANSWER_WRAPPED,
            upstream_request_id=answer.request_id,
        )
    data = answer.member("data")
    if not isinstance(data, dict) or answer.member("auth") is not None:
        raise _unreadable(answer)
    return data


def _lasts(deletion_time: object, now: float, answer: Answer) -> float | None:
    if deletion_time in {None, ""}:
        return None
    try:
        ends = datetime.fromisoformat(str(deletion_time))
    except ValueError:
        ends = None
    if ends is None or ends.tzinfo is None:
        raise _unreadable(answer)
    return max(0.0, ends.timestamp() - now)


def _encoding(location: SecretLocation, *, says_base64: bool) -> Literal["base64"] | None:
    return "base64" if says_base64 or location.encoding == "base64" else None


def _may_be_inexact(value: object) -> bool:
    """Say whether a number in the value looks like one that a 64-bit float has changed."""
    level = [value]
    while level:
        node = level.pop()
        if isinstance(node, dict):
            level.extend(node.values())
        elif isinstance(node, list):
            level.extend(node)
        elif isinstance(node, NumberText) and not _is_exact(node):
            return True
    return False


def _is_exact(number: str) -> bool:
    if fraction := _FRACTION.fullmatch(number):
        return len((fraction[1] + fraction[2]).lstrip("0")) <= _MAX_DIGITS
    try:
        return abs(int(number)) < MAX_EXACT
    except ValueError:
        # An exponent: the server writes very large and very small numbers so, rounded.
        return False


def _unreadable(answer: Answer) -> UpstreamError:
    return UpstreamError(
        "Vault's answer is not the secret that was asked for; check VAULT_ADDR and "
        "VAULT_KV_VERSION, and the versions of both sides.",
        reason=reasons.ANSWER_UNREADABLE,
        upstream_request_id=answer.request_id,
    )
