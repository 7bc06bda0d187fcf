"""The names of spans' attributes, and what may stand in them.

Those without our prefix are OpenTelemetry's semantic conventions 1.44: `rpc.*` and `messaging.*`
are still in development there, so the names are written down here and not imported.
"""

from __future__ import annotations

import re
from typing import Final

from adapters.telemetry.redaction import redact_text
from domain.model.errors import EncryptionFailed, OtherError, UpstreamError

RPC_SYSTEM: Final = "rpc.system.name"
RPC_METHOD: Final = "rpc.method"
MESSAGING_SYSTEM: Final = "messaging.system"
MESSAGING_DESTINATION: Final = "messaging.destination.name"
MESSAGING_BODY_SIZE: Final = "messaging.message.body.size"
ERROR_TYPE: Final = "error.type"

_PREFIX: Final = "wasmcloud_secrets."
REQUEST_ID: Final = f"{_PREFIX}request_id"
OUTCOME: Final = f"{_PREFIX}outcome"
REASON: Final = f"{_PREFIX}reason"
ERROR: Final = f"{_PREFIX}error"
SERVED_FROM: Final = f"{_PREFIX}served_from"
SERVER_KEY: Final = f"{_PREFIX}server_key"
STORE: Final = f"{_PREFIX}store"
UPSTREAM_REQUEST_ID: Final = f"{_PREFIX}upstream_request_id"

KEY: Final = f"{_PREFIX}key"
FIELD: Final = f"{_PREFIX}field"
PATH: Final = f"{_PREFIX}path"
GRANT: Final = f"{_PREFIX}grant"
ENTITY: Final = f"{_PREFIX}entity"
ENTITY_NAME: Final = f"{_PREFIX}entity_name"
APPLICATION: Final = f"{_PREFIX}application"
WORKLOAD: Final = f"{_PREFIX}workload"
WORKLOAD_NAMESPACE: Final = f"{_PREFIX}workload_namespace"
NAMES: Final = frozenset(
    {KEY, FIELD, PATH, GRANT, ENTITY, ENTITY_NAME, APPLICATION, WORKLOAD, WORKLOAD_NAMESPACE}
)
"""Present only where the operator lets secrets be named."""

OTHER: Final = "other"
"""Stands for what is no constant of the code."""

MAX_TEXT: Final = 256
"""Longer texts are cut: a request must not be able to flood what keeps the traces."""

_CODE = re.compile(r"[a-z][a-z_]{0,63}", re.ASCII)
_OWN_ERRORS: Final = frozenset(
    kind.wire_name for kind in (UpstreamError, OtherError, EncryptionFailed)
)
_OWN_ERRORS_TOLD_OF_CALLERS: Final = frozenset({"replayed", "unknown_operation"})
"""Reasons for which the protocol has no other name than `Other`, though the caller is refused."""


def code(text: str) -> str:
    """Return a constant code as it is, and "other" for anything that does not look like one."""
    return text if _CODE.fullmatch(text) else OTHER


def shown(text: str) -> str:
    """Return a text that others chose as it may stand in a span.

    What looks like a credential is hidden. Half a surrogate pair becomes "?": one such text would
    make a whole batch of spans impossible to write.
    """
    return redact_text(text.encode("utf-8", "replace").decode("utf-8"))[:MAX_TEXT]


def is_own_failure(error: str, reason: str) -> bool:
    """Say whether the service or its store failed, rather than that a caller was refused.

    Args:
        error: the wire error's name.
        reason: the constant code beside it.
    """
    return error in _OWN_ERRORS and reason not in _OWN_ERRORS_TOLD_OF_CALLERS
