"""What the operator lets requests choose."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.kubernetes.names import is_namespace, is_secret_name, is_user

OWN_RIGHTS = "-"
"""Scope coordinate `impersonate` of a request that runs with the service's own rights, so that a
rule which allows one user never covers it."""


@dataclass(frozen=True, slots=True)
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
