"""What of a manifest matters for secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.wadm_manifest.tree import NodeReader

SECRET_POLICY = "policy.secret.wasmcloud.dev/v1alpha1"  # noqa: S105  a type's name
"""The type of a policy that secrets may name (wadm-types 0.8.3, `SECRET_POLICY_TYPE`)."""

CAPABILITY = "capability"
COMPONENT_TYPES = ("component", "actor", CAPABILITY)


@dataclass(frozen=True, slots=True)
class Policy:
    """One of the manifest's policies for secrets.

    Attributes:
        properties: as wadm reads them: scalars of any kind become text.
        readers: where each of them stands.
    """

    name: str
    type: str | None
    properties: Mapping[str, str]
    reader: NodeReader
    readers: Mapping[str, NodeReader]

    @property
    def sent(self) -> dict[str, str]:
        """What wadm sends along with a request: all but the backend's name."""
        return {name: text for name, text in self.properties.items() if name != "backend"}


@dataclass(frozen=True, slots=True)
class Component:
    """A component or provider."""

    name: str
    type: str | None
    image: str
    is_shared: bool = False

    @property
    def is_provider(self) -> bool:
        """Whether it is a capability provider."""
        return self.type == CAPABILITY


@dataclass(frozen=True, slots=True)
class SecretUse:
    """One secret that the manifest asks for. Members that could not be read are None.

    Attributes:
        component: where it stands.
        link_target: for a secret of a link, the component that the link leads to.
        stands_in: "component", "source" or "target".
    """

    name: str | None
    policy: str | None
    key: str | None
    field: str | None
    version: str | None
    component: str
    reader: NodeReader
    stands_in: str = "component"
    link_target: str | None = None

    @property
    def reference(self) -> tuple[str | None, str | None, str | None, str | None]:
        """What it asks for, whatever it is called."""
        return (self.policy, self.key, self.field, self.version)


@dataclass(slots=True)
class Manifest:
    """One application."""

    name: str
    reader: NodeReader
    policies: list[Policy] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)
    uses: list[SecretUse] = field(default_factory=list)

    def policy(self, name: str | None) -> Policy | None:
        """Return the policy that wadm takes for a name: the last one of it."""
        return next((p for p in reversed(self.policies) if p.name == name), None)

    def component(self, name: str | None) -> Component | None:
        """Return a component by its name."""
        return next((c for c in self.components if c.name == name), None)

    def asker(self, use: SecretUse) -> Component | None:
        """Return the component with whose token the host asks, as far as the manifest tells.

        The secrets of a link, for whichever of its ends, are asked for with the provider's token.
        """
        own = self.component(use.component)
        if use.stands_in == "component" or (own is not None and own.is_provider):
            return own
        target = self.component(use.link_target)
        return target if target is not None and target.is_provider else None


def configuration_name(manifest: str, secret: str) -> str:
    """Return what wadm 0.21.1 calls the stored reference of a secret: without the component."""
    parts = (re.sub("[^a-z0-9]", "_", text.lower()) for text in (manifest, secret))
    return f"SECRET_{'-'.join(parts)}"
