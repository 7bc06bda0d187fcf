"""The chart, rendered by the real helm for a table of values."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.rendering import check_schemas, render

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.rendering import Manifests

NAME = "shop-wasmcloud-secrets"

TABLE: dict[str, dict[str, Any]] = {
    "defaults": {},
    "infisical": {
        "settings": {"SECRET_STORE": "infisical", "INFISICAL_PROJECT_ID": "p"},
        "storeFiles": {
            "existingSecret": "infisical",
            "settings": {"INFISICAL_CLIENT_SECRET_FILE": "client-secret"},
        },
        "policy": {"document": "version: 1\ngrants: []\n"},
    },
    "nats-kv": {
        "settings": {"SECRET_STORE": "nats-kv"},
        "keys": {"encryptionSeedKey": "encryption.seed"},
        "nats": {
            "url": "tls://nats:4222",
            "existingSecret": "nats",
            "credentialsKey": "service.creds",
            "tlsCaKey": "ca.pem",
            "tlsCertKey": "tls.crt",
            "tlsKeyKey": "tls.key",
        },
    },
    "vault": {
        "settings": {"SECRET_STORE": "vault"},
        "serviceAccount": {"token": {"enabled": True, "audience": "vault"}},
    },
    "kubernetes": {
        "settings": {"SECRET_STORE": "kubernetes"},
        "kubernetesStore": {"namespaces": ["shop", "payments"], "watch": True},
    },
    "everything": {
        "workersFromCpuLimit": True,
        "resources": {"limits": {"cpu": "2", "memory": "512Mi"}},
        "autoscaling": {"enabled": True, "targetRequestsPerSecond": 500},
        "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "dashboard": {"enabled": True},
        "trialNats": {"enabled": True},
        "networkPolicy": {"egress": [{"ports": [{"port": 4222, "protocol": "TCP"}]}]},
        "imagePullSecrets": [{"name": "registry"}],
        "image": {"digest": "sha256:" + "ab" * 32},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "platform", "operator": "Exists"}],
        "podAnnotations": {"example.com/note": "x"},
        "podLabels": {"team": "platform"},
        "admin": {"console": True},
    },
    "little": {
        "serviceAccount": {"create": False},
        "networkPolicy": {"enabled": False},
        "podDisruptionBudget": {"enabled": False},
        "topologySpread": {"enabled": False},
        "policy": {"existingConfigMap": "rules"},
    },
}


@pytest.fixture(params=list(TABLE.values()), ids=list(TABLE))
def manifests(helm: str, tmp_path: Path, request: pytest.FixtureRequest) -> Manifests:
    return render(helm, tmp_path, request.param)


def pod(manifests: Manifests) -> dict[str, Any]:
    spec: dict[str, Any] = manifests["Deployment", NAME]["spec"]["template"]["spec"]
    return spec


def settings(manifests: Manifests) -> dict[str, str]:
    data: dict[str, str] = manifests["ConfigMap", NAME]["data"]
    return data


def test_every_manifest_keeps_the_schemas_of_the_api(manifests: Manifests) -> None:
    check_schemas(manifests)


def test_the_pod_is_restricted_whatever_the_values_are(manifests: Manifests) -> None:
    (container,) = pod(manifests)["containers"]

    assert pod(manifests)["securityContext"]["runAsNonRoot"] is True
    assert pod(manifests)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod(manifests)["terminationGracePeriodSeconds"] > 25


def test_every_file_that_a_setting_names_is_mounted(manifests: Manifests) -> None:
    (container,) = pod(manifests)["containers"]
    folders = [mount["mountPath"] for mount in container["volumeMounts"]]
    volumes = {volume["name"] for volume in pod(manifests)["volumes"]}

    files = {name: path for name, path in settings(manifests).items() if name.endswith("_FILE")}
    assert files
    for path in files.values():
        assert any(path.startswith(f"{folder}/") for folder in folders), path
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes


@pytest.mark.parametrize(
    ("store", "name", "path"),
    [
        ("infisical", "INFISICAL_LOCKOUT_FILE", "/var/lib/wasmcloud-secrets/infisical-logins"),
        ("vault", "VAULT_STATE_FOLDER", "/var/lib/wasmcloud-secrets"),
    ],
)
def test_refused_logins_outlive_a_container_that_is_started_again(
    helm: str, tmp_path: Path, store: str, name: str, path: str
) -> None:
    chosen = render(helm, tmp_path, {"settings": {"SECRET_STORE": store}})
    own = render(helm, tmp_path, {"settings": {"SECRET_STORE": store, name: "/elsewhere"}})

    assert (settings(chosen)[name], settings(own)[name]) == (path, "/elsewhere")
    (container,) = pod(chosen)["containers"]
    assert {"name": "state", "mountPath": "/var/lib/wasmcloud-secrets"} in container["volumeMounts"]
    assert {"name": "state", "emptyDir": {"sizeLimit": "1Mi"}} in pod(chosen)["volumes"]


def test_services_of_the_namespace_are_no_settings(manifests: Manifests) -> None:
    assert pod(manifests)["enableServiceLinks"] is False


def test_only_the_kubernetes_store_gets_a_token_of_the_api_server(
    helm: str, tmp_path: Path
) -> None:
    for name, values in TABLE.items():
        spec = pod(render(helm, tmp_path, values))
        assert spec["automountServiceAccountToken"] is (name == "kubernetes")


def test_the_kubernetes_store_reads_only_the_namespaces_that_are_named(
    helm: str, tmp_path: Path
) -> None:
    rendered = render(helm, tmp_path, TABLE["kubernetes"])
    roles = {name: document for (kind, name), document in rendered.items() if kind == "Role"}

    assert set(roles) == {f"shop/{NAME}-reader", f"payments/{NAME}-reader"}
    for role in roles.values():
        assert role["rules"] == [
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch"]}
        ]


def test_without_a_watch_the_right_to_get_is_enough(helm: str, tmp_path: Path) -> None:
    rendered = render(helm, tmp_path, {"kubernetesStore": {"namespaces": ["shop"]}})

    assert rendered["Role", f"shop/{NAME}-reader"]["rules"][0]["verbs"] == ["get"]


def test_a_digest_wins_over_a_tag(helm: str, tmp_path: Path) -> None:
    (container,) = pod(render(helm, tmp_path, TABLE["everything"]))["containers"]

    assert container["image"].endswith("@sha256:" + "ab" * 32)


def test_the_console_is_off_unless_it_is_asked_for(helm: str, tmp_path: Path) -> None:
    assert "ADMIN_CONSOLE" not in settings(render(helm, tmp_path, TABLE["defaults"]))
    assert settings(render(helm, tmp_path, TABLE["everything"]))["ADMIN_CONSOLE"] == "true"


def test_workers_follow_the_limit_of_the_cpu(helm: str, tmp_path: Path) -> None:
    (container,) = pod(render(helm, tmp_path, TABLE["everything"]))["containers"]

    assert container["env"] == [
        {
            "name": "WORKERS",
            "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1"}},
        }
    ]


def test_a_changed_setting_replaces_the_pods_and_a_changed_policy_does_not(
    helm: str, tmp_path: Path
) -> None:
    def template(values: dict[str, Any]) -> object:
        return render(helm, tmp_path, values)["Deployment", NAME]["spec"]["template"]

    first = template({"policy": {"document": "version: 1"}})

    assert template({"policy": {"document": "version: 1\ngrants: []"}}) == first
    assert (
        template({"policy": {"document": "version: 1"}, "settings": {"LOG_LEVEL": "debug"}})
        != first
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"settings": {"INFISICAL_CLIENT_SECRET": "x"}}, "settings"),
        ({"settings": {"NATS_TOKEN": "x"}}, "settings"),
        ({"settings": {"MAX_IN_FLIGHT": 5}}, "MAX_IN_FLIGHT"),
        ({"replica": 3}, "replica"),
        ({"image": {"digest": "sha256:12"}}, "digest"),
        ({"policy": {"document": "a", "existingConfigMap": "b"}}, "not both"),
        ({"workersFromCpuLimit": True}, "resources.limits.cpu"),
        ({"serviceAccount": {"token": {"enabled": True}}}, "audience"),
        ({"nats": {"tlsCertKey": "tls.crt"}}, "tlsKeyKey"),
        ({"kubernetesStore": {"namespaces": ["Shop"]}}, "namespaces"),
        ({"terminationGracePeriodSeconds": 5}, "terminationGracePeriodSeconds"),
    ],
)
def test_values_that_cannot_work_are_refused_by_name(
    helm: str, tmp_path: Path, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        render(helm, tmp_path, values)

    assert said in refused.value.stderr
