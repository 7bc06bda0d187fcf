"""What an API server writes: metadata, selectors and encoded data."""

from __future__ import annotations

from base64 import b64encode
from typing import Any


def partial(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return an object's metadata in the form without values."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
    }


def selected(query: dict[str, str]) -> str | None:
    """Return the name that a fieldSelector selects."""
    selector = query.get("fieldSelector")
    return None if selector is None else selector.removeprefix("metadata.name=")


def encoded(value: str | bytes) -> str:
    """Return a value as `data` has it."""
    plain = value.encode() if isinstance(value, str) else value
    return b64encode(plain).decode()
