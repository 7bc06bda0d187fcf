"""What manifests may ask of Kubernetes, as far as it is known without asking the API server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.kubernetes.addressing import check_version, locate
from adapters.kubernetes.bounds import OWN_RIGHTS, Bounds
from adapters.kubernetes.names import is_namespace, is_user
from ports.store_shape import StoreShape

if TYPE_CHECKING:
    from domain.model.reference import SecretLocation, SecretReference


@dataclass(frozen=True, slots=True)
class KubernetesShape(StoreShape):
    """Names of Secrets, their keys, and properties; namespaces and users are taken for allowed.
    `namespace`: read where a policy names none.
    """

    namespace: str = "default"

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        namespace = reference.properties.get("namespace", self.namespace)
        user = reference.properties.get("impersonate", OWN_RIGHTS)
        bounds = Bounds(
            self.namespace,
            (namespace,) if is_namespace(namespace) else (),
            users=frozenset({user} if is_user(user) and user != OWN_RIGHTS else ()),
        )
        return locate(reference, bounds)

    @override
    def check_version(self, version: str) -> None:
        check_version(version)
