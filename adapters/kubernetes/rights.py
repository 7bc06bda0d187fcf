"""Which rights the service needs, which it has, and the roles that would give it the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adapters.kubernetes.bounds import Bounds

REVIEW_PATH: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
WHOAMI_PATH: Final = "/apis/authentication.k8s.io/v1/selfsubjectreviews"

_ACCOUNT: Final = ["system", "serviceaccount"]
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
        rights: all that are needed.
        account: the user name that the API server knows the service by; None if unknown.
    """
    lacking = {(right.namespace, right.resource) for right in missing}
    by_role: dict[tuple[str, str], list[Right]] = {}
    for right in sorted(rights):
        if (right.namespace, right.resource) in lacking:
            by_role.setdefault((right.namespace, right.resource), []).append(right)
    roles = (_role(*role, each, account) for role, each in by_role.items())
    return "---\n".join(roles)


def _impersonation(user: str) -> Right:
    if (account := _service_account(user)) is not None:
        return Right(*account, "serviceaccounts", "impersonate")
    return Right("", user, "users", "impersonate")


def _service_account(user: str) -> tuple[str, str] | None:
    """Return the namespace and the name of a service account; None for another user."""
    parts = user.split(":")
    return (parts[2], parts[3]) if parts[:-2] == _ACCOUNT else None


def _role(namespace: str, resource: str, rights: Iterable[Right], account: str | None) -> str:
    kind = "Role" if namespace else "ClusterRole"
    name = _ROLE_NAME if resource == "secrets" else f"{_ROLE_NAME}-impersonate"
    metadata = f"{{name: {name}{f', namespace: {namespace}' if namespace else ''}}}"
    return (
        "apiVersion: rbac.authorization.k8s.io/v1\n"
        f"kind: {kind}\n"
        f"metadata: {metadata}\n"
        "rules:\n"
        f"{_rules(resource, rights)}"
        "---\n"
        "apiVersion: rbac.authorization.k8s.io/v1\n"
        f"kind: {kind}Binding\n"
        f"metadata: {metadata}\n"
        f"roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {kind}, name: {name}}}\n"
        f"subjects: [{_subject(account)}]\n"
    )


def _rules(resource: str, rights: Iterable[Right]) -> str:
    """Return the rules of a role: one for all names that need the same verbs."""
    verbs_of: dict[str, list[str]] = {}
    for right in rights:
        verbs_of.setdefault(right.name, []).append(right.verb)
    names_of: dict[str, list[str]] = {}
    for name, needed_verbs in verbs_of.items():
        names_of.setdefault(", ".join(needed_verbs), []).append(f'"{name}"')
    rules = ""
    for verbs, names in names_of.items():
        rules += f'- apiGroups: [""]\n  resources: [{resource}]\n  verbs: [{verbs}]\n'
        if names != ['""']:
            rules += f"  resourceNames: [{', '.join(names)}]\n"
    return rules


def _subject(account: str | None) -> str:
    if account is None:
        return "{kind: ServiceAccount, namespace: NAMESPACE, name: NAME}"
    if (found := _service_account(account)) is not None:
        return f"{{kind: ServiceAccount, namespace: {found[0]}, name: {found[1]}}}"
    return f'{{apiGroup: rbac.authorization.k8s.io, kind: User, name: "{account}"}}'
