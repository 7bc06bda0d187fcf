"""What the operator lets requests choose, and the API server's own grammar of names.

An HTTP client resolves ".." and an empty name turns the read of one Secret into the list of all
Secrets of the namespace, values included, so nothing but what matches here reaches a path. None of
these names holds a character that a URL would have to encode.
"""

from __future__ import annotations

import re
from typing import Final

from domain.model.opaque import opaque

MAX_NAME_LENGTH: Final = 253
"""Of a Secret and of a key inside it."""

MAX_NAMESPACE_LENGTH: Final = 63
MAX_USER_LENGTH: Final = 1024

_LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_NAMESPACE = re.compile(_LABEL, re.ASCII)
_SECRET = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]+", re.ASCII)
_USER = re.compile(r"[!-~](?:[ -~]*[!-~])?", re.ASCII)
_VERSION = re.compile(r"[1-9][0-9]{0,19}", re.ASCII)

OWN_RIGHTS = "-"
"""Scope coordinate `impersonate` of a request that runs with the service's own rights, so that a
rule which allows one user never covers it."""


def is_namespace(text: str) -> bool:
    """Say whether the text can name a namespace: a lower-case DNS label."""
    return len(text) <= MAX_NAMESPACE_LENGTH and _NAMESPACE.fullmatch(text) is not None


def is_secret_name(text: str) -> bool:
    """Say whether the text can name a Secret: a lower-case DNS subdomain."""
    return len(text) <= MAX_NAME_LENGTH and _SECRET.fullmatch(text) is not None


def is_data_key(text: str) -> bool:
    """Say whether the text can name one value of a Secret; ".." may not begin it."""
    return (
        len(text) <= MAX_NAME_LENGTH
        and _DATA_KEY.fullmatch(text) is not None
        and text != "."
        and not text.startswith("..")
    )


def is_user(text: str) -> bool:
    """Say whether the text can name a user to impersonate: it goes into a header as it is.

    The API server ignores an empty one and runs the request with the service's own rights.
    """
    return len(text) <= MAX_USER_LENGTH and _USER.fullmatch(text) is not None


def is_version(text: str) -> bool:
    """Say whether the text can be the resourceVersion of an object in etcd."""
    return _VERSION.fullmatch(text) is not None


@opaque
class Bounds:
    """Namespaces, Secrets and users that requests may choose.

    Attributes:
        namespace: read when a policy names none.
        namespaces: all that may be read, `namespace` among them; sorted.
        secrets: the only Secrets that may be read, as (namespace, name); empty for all in the
            namespaces. Where a Role has `resourceNames`, these are they.
        users: users that a policy may have the service impersonate; empty for none.

    Raises:
        ValueError: one of them is no such name; the text says which setting to change.
    """

    namespace: str
    namespaces: tuple[str, ...]
    secrets: frozenset[tuple[str, str]] = frozenset()
    users: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Refuse names that the API server cannot have."""
        if not all(is_namespace(name) for name in self.namespaces):
            raise ValueError(
                "KUBERNETES_NAMESPACE and KUBERNETES_ALLOWED_NAMESPACES: a namespace is a name of "
                'lower-case letters, digits and "-", such as "shop".'
            )
        if not all(is_user(user) and user != OWN_RIGHTS for user in self.users):
            raise ValueError(
                "KUBERNETES_ALLOWED_IMPERSONATIONS: a user is a name of printable characters, such "
                'as "jane" or "system:serviceaccount:shop:reader".'
            )

    @classmethod
    def of(
        cls,
        namespace: str,
        namespaces: tuple[str, ...] = (),
        secrets: tuple[str, ...] = (),
        users: tuple[str, ...] = (),
    ) -> Bounds:
        """Read the operator's words.

        Args:
            namespace: the default one.
            namespaces: what may be chosen beside it.
            secrets: names in every namespace, or "namespace/name" for one.
            users: whom a policy may impersonate.

        Raises:
            ValueError: one of them is no such name.
        """
        allowed = tuple(sorted({namespace, *namespaces}))
        pairs = {pair for text in secrets for pair in _secret(text, allowed)}
        return cls(namespace, allowed, frozenset(pairs), frozenset(users))

    def targets(self) -> tuple[tuple[str, str | None], ...]:
        """Return what rights are needed for, sorted: (namespace, name), or None for all names."""
        if not self.secrets:
            return tuple((namespace, None) for namespace in self.namespaces)
        return tuple(sorted(self.secrets))

    def allows(self, namespace: str, name: str) -> bool:
        """Say whether a Secret of an allowed namespace may be read."""
        return not self.secrets or (namespace, name) in self.secrets


def _secret(text: str, namespaces: tuple[str, ...]) -> list[tuple[str, str]]:
    namespace, slash, name = text.rpartition("/")
    if not is_secret_name(name) or (slash and namespace not in namespaces):
        raise ValueError(
            'KUBERNETES_ALLOWED_SECRETS: write the name of a Secret such as "db", or '
            '"shop/db" with a namespace that is allowed.'
        )
    return [(namespace, name)] if slash else [(each, name) for each in namespaces]
