"""From a key, a field and policy properties to one place in the cluster.

| key | field | what is read |
|---|---|---|
| `db` | `password` | the value `password` of Secret `db`, as secrets-kubernetes has it |
| `db/password` | | the same value |
| `db/config.json` | `user` | member `user` of that value, which is a JSON object |
| `db` | | all values of Secret `db` as one JSON object |

A dot separates nothing: names of Secrets and keys inside them may both hold dots.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.kubernetes.bounds import (
    OWN_RIGHTS,
    Bounds,
    is_data_key,
    is_namespace,
    is_secret_name,
    is_user,
    is_version,
)
from adapters.upstream.policy_choices import check_known, chosen
from domain.model.errors import InvalidRequest, PolicyError
from domain.model.key_path import parse_key
from domain.model.reference import SecretLocation

if TYPE_CHECKING:
    from domain.model.reference import SecretReference


PROPERTIES: Final = ("encoding", "impersonate", "namespace")
TEXT, BINARY = "utf-8", "binary"
"""Values of the property `encoding`: how a value is answered, whatever it looks like."""


def locate(reference: SecretReference, bounds: Bounds) -> SecretLocation:
    """Return the canonical place that a reference means, within what the operator allows.

    Raises:
        InvalidRequest: key or field cannot name a value in a Secret.
        PolicyError: a property is unknown or malformed, or chooses what is not allowed.
    """
    properties = reference.properties
    check_known(properties, PROPERTIES)
    encoding = properties.get("encoding")
    if encoding not in {None, TEXT, BINARY}:
        raise PolicyError(
            f'The policy property "encoding" is "{TEXT}" or "{BINARY}"; drop it to have text '
            "answered as text and anything else as binary.",
            reason="policy_encoding_unknown",
        )
    namespace = _namespace(properties.get("namespace"), bounds)
    scope: tuple[tuple[str, str], ...] = (("namespace", namespace),)
    if bounds.users or "impersonate" in properties:
        scope = (("impersonate", _user(properties.get("impersonate"), bounds)), *scope)
    name, value_key = _names(reference.key)
    if not bounds.allows(namespace, name):
        raise PolicyError(
            "KUBERNETES_ALLOWED_SECRETS does not name that Secret; ask the operator to add it.",
            reason="secret_not_allowed",
        )
    if value_key is not None:
        return SecretLocation(f"/{name}/{value_key}", scope, encoding)
    return SecretLocation(f"/{name}", scope, encoding, _field(reference.field))


def secret_name(location: SecretLocation) -> tuple[str, str | None]:
    """Take the Secret's name and the key inside it out of a location; None for all its values."""
    _, name, *rest = location.path.split("/")
    return name, rest[0] if rest else location.field


def check_version(version: str) -> None:
    """Check that a Secret can have this version.

    Raises:
        InvalidRequest: it is no resourceVersion.
    """
    if not is_version(version):
        raise InvalidRequest(
            "A version is a resourceVersion here, a whole number; drop it to have the present one.",
            reason="version_malformed",
        )


def _names(key: str) -> tuple[str, str | None]:
    path = parse_key(key)
    parts = (*path.folders, path.name)
    if len(parts) > 2:  # noqa: PLR2004  a Secret and a key inside it
        raise InvalidRequest(
            'The key has too many "/"; write the Secret\'s name, or NAME/KEY for one of its '
            "values, and choose the namespace by a policy property.",
            reason="key_too_deep",
        )
    name, *rest = parts
    if not is_secret_name(name):
        raise InvalidRequest(
            "The key must begin with the name of a Secret: lower-case letters, digits, "
            '"-" and ".", at most 253 characters.',
            reason="key_secret_name",
        )
    if not rest:
        return name, None
    if not is_data_key(rest[0]):
        raise InvalidRequest(
            'After "/" the key must name a value of the Secret: letters, digits, "-", "_" and '
            '".", at most 253 characters.',
            reason="key_value_name",
        )
    return name, rest[0]


def _field(field: str | None) -> str | None:
    if field is not None and not is_data_key(field):
        raise InvalidRequest(
            "The field must be a key of the Secret. For a member of a JSON value write the key as "
            "NAME/KEY and the member as the field.",
            reason="field_malformed",
        )
    return field


def _namespace(choice: str | None, bounds: Bounds) -> str:
    namespace = bounds.namespace if choice is None else choice
    if not is_namespace(namespace):
        raise PolicyError(
            'The policy property "namespace" is no name of a namespace; check its spelling.',
            reason="namespace_malformed",
        )
    return chosen(
        namespace,
        bounds.namespace,
        bounds.namespaces,
        "namespace",
        "KUBERNETES_ALLOWED_NAMESPACES",
    )


def _user(choice: str | None, bounds: Bounds) -> str:
    if choice is None:
        return OWN_RIGHTS
    if choice not in bounds.users:
        raise PolicyError(
            'The policy property "impersonate" chooses what the operator of this backend does not '
            "allow; drop it, or ask for it in KUBERNETES_ALLOWED_IMPERSONATIONS.",
            reason="impersonate_not_allowed",
        )
    return choice


def locate_in_manifest(namespace: str, reference: SecretReference) -> SecretLocation:
    """Return as `locate` does; namespaces and users are taken for allowed. `namespace`: read where
    a policy names none.
    """
    chosen_namespace = reference.properties.get("namespace", namespace)
    user = reference.properties.get("impersonate", OWN_RIGHTS)
    bounds = Bounds(
        namespace,
        (chosen_namespace,) if is_namespace(chosen_namespace) else (),
        users=frozenset({user} if is_user(user) and user != OWN_RIGHTS else ()),
    )
    return locate(reference, bounds)
