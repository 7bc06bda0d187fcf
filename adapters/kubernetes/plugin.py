"""Kubernetes Secrets as a plug-in."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from typing_extensions import override

from adapters.kubernetes.settings import KubernetesSettings
from ports.plugin import PluginError
from ports.store_plugin import StorePlugin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ports.store_plugin import StoreContext, StoreParts
    from ports.store_shape import StoreShape


class KubernetesPlugin(StorePlugin[KubernetesSettings]):
    """Registered as `kubernetes`."""

    name: ClassVar[str] = "kubernetes"
    title: ClassVar[str] = "Kubernetes"
    api_version: ClassVar[int] = 1
    settings = KubernetesSettings

    @override
    def warnings(self, settings: KubernetesSettings) -> Sequence[str]:
        if not settings.allowed_impersonations:
            return ()
        advice = (
            "Every component that may ask this service can choose among the users of "
            "KUBERNETES_ALLOWED_IMPERSONATIONS. Bind them in the access policy by the property "
            "`impersonate`, or unset the variable."
        )
        return (advice,)

    @override
    def shape(self, given: Mapping[str, str]) -> StoreShape:
        from adapters.kubernetes.addressing import check_version, locate_in_manifest  # noqa: PLC0415  if it is chosen
        from adapters.upstream.manifest_shape import ManifestShape  # noqa: PLC0415

        locate = partial(locate_in_manifest, given.get("namespace", "default"))
        return ManifestShape(locate, check_version)

    @override
    def build(self, settings: KubernetesSettings, context: StoreContext) -> StoreParts:
        from adapters.kubernetes.assembly import build_parts  # noqa: PLC0415  if it is chosen

        failure = ""
        try:
            return build_parts(settings, context)
        except ValueError as error:
            failure = str(error)
        # Raised out here, so that nothing that was read is kept as its context.
        raise PluginError(failure)


PLUGIN: Final = KubernetesPlugin()
