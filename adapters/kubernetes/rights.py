"""Which rights the service needs, which it has, and the roles that would give it the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from adapters.kubernetes.bounds import Bounds

REVIEW_PATH: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
WHOAMI_PATH: Final = "/apis/authentication.k8s.io/v1/selfsubjectreviews"

_ACCOUNT: Final = "system:serviceaccount:"
_ROLE_NAME: Final = "wasmcloud-secrets"


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One right, as a SelfSubjectAccessReview asks for it.

    Attributes:
        namespace: "" for a right that holds in the whole cluster.
        name: the only object meant; "" for all.
    """

    namespace: str
    name: str
    resource: str
    verb: str

    def review(self) -> dict[str, object]:
        """Return the object to post."""
        attributes = {
            "verb": self.verb,
            "resource": self.resource,
            **({"namespace": self.namespace} if self.namespace else {}),
            **({"name": self.name} if self.name else {}),
        }
        return {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }


def needed(bounds: Bounds, *, watches: bool) -> list[Right]:
    """Return all rights that the settings make use of."""
    verbs = ("get", "list", "watch") if watches else ("get",)
    reads = [
        Right(namespace, name or "", "secrets", verb)
        for namespace, name in bounds.targets()
        for verb in verbs
    ]
    return reads + [_impersonation(user) for user in sorted(bounds.users)]


def roles_text(rights: Iterable[Right], missing: Iterable[Right], account: str | None) -> str:
    """Return what to apply to the cluster so that the service has its rights, as YAML.

    Each role that lacks something is written out whole, since applying it replaces a former one.

    Args:
        rights: all rights that are needed.
        missing: those of them that are missing.
        account: the user name that the API server knows the service by; None if unknown.
    """
    lacking = {(right.namespace, right.resource) for right in missing}
    places: dict[tuple[str, str], dict[tuple[str, ...], set[str]]] = {}
    for right in sorted(rights):
        if (right.namespace, right.resource) not in lacking:
            continue
        rules = places.setdefault((right.namespace, right.resource), {})
        names = tuple(each.name for each in (right,) if each.name)
        rules.setdefault(names, set()).add(right.verb)
    documents = [
        _role(namespace, resource, _merged(rules)) + _binding(namespace, resource, account)
        for (namespace, resource), rules in places.items()
    ]
    return "---\n".join(documents)


def _impersonation(user: str) -> Right:
    if user.startswith(_ACCOUNT) and user.count(":") == _ACCOUNT.count(":") + 1:
        namespace, name = user.removeprefix(_ACCOUNT).split(":")
        return Right(namespace, name, "serviceaccounts", "impersonate")
    return Right("", user, "users", "impersonate")


def _merged(rules: dict[tuple[str, ...], set[str]]) -> list[tuple[list[str], list[str]]]:
    """Return (names, verbs), the names that need the same verbs together."""
    by_verbs: dict[tuple[str, ...], list[str]] = {}
    for names, verbs in rules.items():
        by_verbs.setdefault(tuple(sorted(verbs)), []).extend(names)
    return [(names, list(verbs)) for verbs, names in by_verbs.items()]


def _role(namespace: str, resource: str, rules: Sequence[tuple[list[str], list[str]]]) -> str:
    lines = [
        "apiVersion: rbac.authorization.k8s.io/v1",
        f"kind: {_kind(namespace)}",
        f"metadata: {_metadata(namespace, resource)}",
        "rules:",
    ]
    for names, verbs in rules:
        lines.append(f'- apiGroups: [""]\n  resources: [{resource}]\n  verbs: [{", ".join(verbs)}]')
        if names:
            quoted = ", ".join(f'"{name}"' for name in names)
            lines.append(f"  resourceNames: [{quoted}]")
    return "\n".join(lines) + "\n"


def _binding(namespace: str, resource: str, account: str | None) -> str:
    name = _name(resource)
    lines = [
        "---",
        "apiVersion: rbac.authorization.k8s.io/v1",
        f"kind: {_kind(namespace)}Binding",
        f"metadata: {_metadata(namespace, resource)}",
        f"roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {_kind(namespace)}, name: {name}}}",
        f"subjects: [{_subject(account)}]",
    ]
    return "\n".join(lines) + "\n"


def _kind(namespace: str) -> str:
    return "Role" if namespace else "ClusterRole"


def _name(resource: str) -> str:
    return _ROLE_NAME if resource == "secrets" else f"{_ROLE_NAME}-impersonate"


def _metadata(namespace: str, resource: str) -> str:
    place = f", namespace: {namespace}" if namespace else ""
    return f"{{name: {_name(resource)}{place}}}"


def _subject(account: str | None) -> str:
    if account is None:
        return "{kind: ServiceAccount, namespace: NAMESPACE, name: NAME}"
    if account.startswith(_ACCOUNT) and account.count(":") == _ACCOUNT.count(":") + 1:
        namespace, name = account.removeprefix(_ACCOUNT).split(":")
        return f"{{kind: ServiceAccount, namespace: {namespace}, name: {name}}}"
    return f'{{apiGroup: rbac.authorization.k8s.io, kind: User, name: "{account}"}}'
