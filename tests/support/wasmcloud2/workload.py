"""Start requests as the operator writes them: JSON in camel case."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MESSAGING = {
    "namespace": "wasmcloud",
    "package": "messaging",
    "version": "0.3.0",
    "interfaces": ["consumer", "handler"],
}
"""What the components of tests/support/wasmcloud2/component answer by."""


def secrets(
    *interfaces: str, name: str = "", config: dict[str, str] | None = None
) -> dict[str, Any]:
    """Return the entry of `wasmcloud:secrets` in a workload's host interfaces.

    Args:
        interfaces: `store` and `reveal` if none is named.
        name: the instance, which the host resolves to a binding.
        config: values that the workload brings itself.
    """
    return {
        "namespace": "wasmcloud",
        "package": "secrets",
        "version": "2.1.0",
        "interfaces": list(interfaces or ("store", "reveal")),
        **({"name": name} if name else {}),
        "config": config or {},
    }


@dataclass(frozen=True)
class Workload:
    """One workload of one component.

    Attributes:
        image: what the host pulls.
        subject: where the component listens for commands.
        interfaces: further entries of `hostInterfaces`; `secrets()` for a component that imports
            it: without that the host says "RUNNING" and drops each message.
        environment: the component's variables.
        mounts: host directories by their path in the component, read-only.
        allowed_hosts: where its own HTTP requests may go.
    """

    image: str
    subject: str
    name: str = "reader"
    namespace: str = "default"
    interfaces: tuple[dict[str, Any], ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    mounts: dict[str, str] = field(default_factory=dict)
    allowed_hosts: tuple[str, ...] = ()

    def start_request(self, workload_id: str) -> dict[str, Any]:
        """Return the body of `workload.start`."""
        volumes = [
            {"name": f"volume-{index}", "hostPath": {"localPath": local}}
            for index, local in enumerate(self.mounts.values())
        ]
        mounts = [
            {"name": f"volume-{index}", "mountPath": path, "readOnly": True}
            for index, path in enumerate(self.mounts)
        ]
        return {
            "workloadId": workload_id,
            "workload": {
                "namespace": self.namespace,
                "name": self.name,
                "annotations": {},
                "volumes": volumes,
                "witWorld": {
                    "components": [
                        {
                            "name": self.name,
                            "image": self.image,
                            "poolSize": 1,
                            "maxInvocations": 100,
                            "localResources": {
                                "memoryLimitMb": 64,
                                "config": {"subscriptions": self.subject},
                                "environment": self.environment,
                                "volumeMounts": mounts,
                                "allowedHosts": list(self.allowed_hosts),
                            },
                        }
                    ],
                    "hostInterfaces": [MESSAGING, *self.interfaces],
                },
            },
        }
