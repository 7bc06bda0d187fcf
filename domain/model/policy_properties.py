"""The policy an application's manifest sends along: flat properties for the store to read."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from domain.model.errors import PolicyError
from domain.model.reference import NO_PROPERTIES
from domain.model.strict_json import PEER_BRACKETS, MalformedJsonError, parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

PROPERTIES_TYPE = "properties.secret.wasmcloud.dev/v1alpha1"
"""The type that wasmCloud gives the document (wasmcloud-secrets-types)."""

MAX_PROPERTIES = 64


def parse_policy(policy: str) -> Mapping[str, str]:
    """Read the policy document; an empty text means no properties.

    The property `backend` chose this backend and is dropped, should a host leave it in.

    Raises:
        PolicyError: it is not such a document, or a property is not a text.
    """
    if not policy:
        return NO_PROPERTIES
    try:
        document = parse_json(policy, max_brackets=PEER_BRACKETS)
    except MalformedJsonError:
        document = None
    if not isinstance(document, dict):
        raise PolicyError(
            "The policy must be a JSON object; let wadm write it from the manifest.",
            reason="policy_malformed",
        )
    if document.get("type", PROPERTIES_TYPE) != PROPERTIES_TYPE:
        raise PolicyError(
            f"The policy's type must be {PROPERTIES_TYPE}.", reason="policy_type_unknown"
        )
    properties = document.get("properties", {})
    if not isinstance(properties, dict) or len(properties) > MAX_PROPERTIES:
        raise PolicyError(
            f"The policy's properties must be an object of at most {MAX_PROPERTIES} members.",
            reason="policy_properties_malformed",
        )
    if not all(isinstance(value, str) for value in properties.values()):
        raise PolicyError(
            'Every policy property must be text; quote numbers, and write a list as "a,b".',
            reason="policy_property_not_text",
        )
    return MappingProxyType({name: text for name, text in properties.items() if name != "backend"})
