"""The README's manifest has the form that wadm takes and that this service reads.

The form is wadm's own (`wadm-types`): policies with flat text properties, and secrets as a name and
the properties policy, key, field and version.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from pydantic import SecretStr

from adapters.infisical.addressing import Addressing
from adapters.infisical.settings import InfisicalSettings
from adapters.nats.settings import NatsSettings
from bootstrap.settings.service import ChoiceSettings
from domain.model.reference import SecretReference
from tests.unit.docs.documents import OPERATIONS, README, code_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = NatsSettings.model_validate({})
POLICY_TYPE = "policy.secret.wasmcloud.dev/v1alpha1"


def manifest() -> dict[str, Any]:
    (block,) = [text for text in code_blocks(README, "yaml") if "core.oam.dev" in text]
    parsed: dict[str, Any] = yaml.safe_load(block)
    return parsed


def policies() -> dict[str, dict[str, Any]]:
    return {policy["name"]: policy for policy in manifest()["spec"]["policies"]}


def secrets_in(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every secret in a manifest, wherever it stands."""
    if isinstance(node, dict):
        yield from node.get("secrets", ())
        yield from chain.from_iterable(secrets_in(value) for value in node.values())
    elif isinstance(node, list):
        yield from chain.from_iterable(secrets_in(value) for value in node)


def test_it_is_an_application_of_the_current_kind() -> None:
    assert manifest()["apiVersion"] == "core.oam.dev/v1beta1"
    assert manifest()["kind"] == "Application"
    assert manifest()["metadata"]["name"]


def test_its_policies_name_this_backend_with_flat_text_properties() -> None:
    for policy in policies().values():
        assert policy["type"] == POLICY_TYPE
        assert policy["properties"]["backend"] == ChoiceSettings().backend
        assert all(isinstance(value, str) for value in policy["properties"].values())


def test_its_secrets_have_the_members_that_wadm_reads() -> None:
    for secret in secrets_in(manifest()):
        assert set(secret) == {"name", "properties"}
        properties = secret["properties"]
        assert {"policy", "key"} <= set(properties) <= {"policy", "key", "field", "version"}
        assert properties["policy"] in policies()
        assert all(isinstance(value, str) for value in properties.values())


def test_it_shows_a_field_a_version_and_secrets_of_a_component_and_a_provider() -> None:
    shown = list(secrets_in(manifest()))
    components = manifest()["spec"]["components"]
    links = [
        trait["properties"]
        for component in components
        for trait in component.get("traits", ())
        if trait["type"] == "link"
    ]

    assert any("field" in secret["properties"] for secret in shown)
    assert any("version" in secret["properties"] for secret in shown)
    assert {component["type"] for component in components} == {"component", "capability"}
    assert all(component["properties"]["secrets"] for component in components)
    assert {link["target"]["name"] for link in links} <= {entry["name"] for entry in components}


def test_its_keys_and_properties_are_places_in_infisical() -> None:
    """With the environment that the README says must be allowed."""
    addressing = Addressing.from_settings(
        InfisicalSettings(
            client_id="id",
            client_secret=SecretStr("secret"),
            project_id="project",
            allowed_environments=("staging",),
        )
    )

    for secret in secrets_in(manifest()):
        sent = dict(policies()[secret["properties"]["policy"]]["properties"])
        del sent["backend"]  # as wadm does
        assert addressing.locate(SecretReference(secret["properties"]["key"], sent)).path


def test_the_hosts_topic_is_the_subject_prefix() -> None:
    text = README.read_text("utf-8")

    assert f"--secrets-topic {SETTINGS.subject_prefix}" in text
    assert f"WASMCLOUD_SECRETS_TOPIC={SETTINGS.subject_prefix} " in text


@pytest.mark.parametrize("document", [README, OPERATIONS])
def test_every_yaml_block_can_be_read(document: Any) -> None:
    for block in code_blocks(document, "yaml"):
        assert isinstance(yaml.safe_load(block), dict)
