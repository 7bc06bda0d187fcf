"""The words in which a wasmCloud host repeats an error of this protocol to its operator.

A host publishes them in the event of the failed start (`component_scale_failed`). They name neither
the secret nor its key. Source: `GetSecretError` of wasmcloud-secrets-types 0.8.0, as host 1.9.2
prints it.
"""

from __future__ import annotations

FETCH_FAILED = "Unable to fetch requested secrets: "
"""What the error in a host's event begins with."""

_TEXTS = {
    "SecretNotFound": "Secret not found",
    "InvalidXKey": "Invalid XKey",
    "EncryptionError": "Error encrypting secret",
    "DecryptionError": "Error decrypting secret",
    "Unauthorized": "Error fetching secret: unauthorized",
    "InvalidRequest": "Invalid request",
    "InvalidPayload": "Invalid payload",
    "InvalidHeaders": "Invalid headers",
    "InvalidEntityJWT": "Invalid Entity JWT: ",
    "InvalidHostJWT": "Invalid Host JWT: ",
    "UpstreamError": "Error fetching secret: ",
    # The "$" is wasmCloud's own.
    "PolicyError": "Error processing policies: $",
    "Other": "Encountered an unknown error fetching secret: ",
}


def knows(wire_name: str) -> bool:
    """Say whether the protocol has an error of this name."""
    return wire_name in _TEXTS


def host_text(wire_name: str, text: str) -> str:
    """Return what a host says of an error.

    Args:
        wire_name: the error's name on the wire, as `RequestError.wire_name` has it.
        text: the text that crossed the wire; only the errors that carry one repeat it.
    """
    said = _TEXTS[wire_name]
    return f"server error: {said}{text if said.endswith((' ', '$')) else ''}"
