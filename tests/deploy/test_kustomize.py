"""The kustomize base and its example, built by the real kustomize."""

from __future__ import annotations

from typing import Any

import pytest

from bootstrap.settings.model import every_variable
from tests.deploy.conftest import ROOT
from tests.deploy.rendering import Manifests, check_schemas, parsed, run
from tools.kustomize_base import BASE, files

EXAMPLE = ROOT / "deploy" / "kustomize" / "example"
SPACE = "wasmcloud-secrets"


@pytest.fixture(params=[BASE, EXAMPLE], ids=["base", "example"])
def manifests(kustomize: str, request: pytest.FixtureRequest) -> Manifests:
    return parsed(run([kustomize, "build", str(request.param)]))


@pytest.fixture
def example(kustomize: str) -> Manifests:
    return parsed(run([kustomize, "build", str(EXAMPLE)]))


def settings(manifests: Manifests) -> tuple[str, dict[str, str]]:
    """Return the name of the ConfigMap that the settings are in, and the settings."""
    return next(
        (name.removeprefix(f"{SPACE}/"), document["data"])
        for (kind, name), document in manifests.items()
        if kind == "ConfigMap" and "NATS_URL" in document["data"]
    )


def deployment(manifests: Manifests) -> dict[str, Any]:
    return next(document for (kind, _), document in manifests.items() if kind == "Deployment")


def test_the_base_is_what_the_chart_renders(helm: str) -> None:
    written = {path.name: path.read_text("utf-8") for path in BASE.iterdir()}

    assert written == files(helm), "run `python -m tools.kustomize_base`"


def test_every_manifest_keeps_the_schemas_of_the_api(manifests: Manifests) -> None:
    check_schemas(manifests)


def test_every_setting_exists(manifests: Manifests) -> None:
    assert settings(manifests)[1].keys() <= set(every_variable(shipped=True))


def test_a_changed_setting_replaces_the_pods_and_a_changed_policy_does_not(
    example: Manifests,
) -> None:
    name, _ = settings(example)
    pod = deployment(example)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    policies = [volume["configMap"] for volume in pod["volumes"] if "configMap" in volume]

    assert name.startswith("wasmcloud-secrets-")
    assert container["envFrom"] == [{"configMapRef": {"name": name}}]
    assert policies == [{"name": "wasmcloud-secrets-policy"}]


def test_an_overlay_changes_settings_image_and_replicas(example: Manifests) -> None:
    _, given = settings(example)
    (container,) = deployment(example)["spec"]["template"]["spec"]["containers"]

    assert given["SECRET_STORE"] == "nats-kv"
    assert given["REQUIRE_ACCESS_POLICY"] == "true"
    assert container["image"] == "registry.example.com/team/wasmcloud-secrets:0.2.0"
    assert deployment(example)["spec"]["replicas"] == 3
