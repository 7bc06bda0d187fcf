"""The manifest command: what it prints, and how it ends."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from adapters.nats_kv.settings import NatsKvSettings
from bootstrap.cli.manifest_checks import shape_of
from bootstrap.settings.plugins import Registry
from bootstrap.settings.variables import Variables
from domain.model.reference import SecretLocation, SecretReference
from tests.unit.adapters.wadm_manifest.manifests import spoilt
from tests.unit.bootstrap.cli.manifest_rig import run
from tests.unit.docs.documents import README, code_blocks

if TYPE_CHECKING:
    from pathlib import Path


ENVIRONMENT = "environment: prod"
BUCKET = ("--set", "NATS_KV_BUCKET=B")


def test_a_good_manifest_has_no_findings(good: str) -> None:
    result = run(good, "--backend", "infisical")

    assert result.exit_code == 0
    assert result.output == "no errors, no warnings in 1 manifest with 6 secrets.\n"


def test_an_error_is_told_with_file_line_place_and_advice(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(spoilt(('version: "3"', "version: 3")))

    result = run(str(file))

    assert result.exit_code == 1
    assert f"{file}:24: error: " in result.output
    assert '"checkout": properties.secrets[0] "api-key": properties.version: ' in result.output
    assert "quote it [not_text]" in result.output


def test_warnings_alone_are_no_failure(tmp_path: Path, good: str) -> None:
    file = tmp_path / "service.yaml"
    file.write_text("apiVersion: v1\nkind: Service\n")

    assert run(good, str(file)).exit_code == 0
    assert "1 warning in 1 manifest" in run(good, str(file)).output


def test_json_holds_every_finding(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(spoilt(("- name: mail-key", "- name: api_key")))

    document = json.loads(run(str(file), "--json").output)

    (finding,) = document["findings"]
    assert (finding["file"], finding["line"]) == (str(file), 49)
    assert (finding["code"], finding["level"]) == ("secret_name_shared", "error")
    counts = [document[name] for name in ("errors", "warnings", "manifests", "secrets")]
    assert counts == [1, 0, 1, 6]


@pytest.mark.parametrize(
    ("changes", "code", "store", "settings"),
    [
        ((("key: API_KEY", "key: a/../b"),), "key_folder", "infisical", ()),
        ((("key: API_KEY", 'key: ""'),), "key_length", "infisical", ()),
        ((('version: "3"', 'version: "v3"'),), "version_malformed", "infisical", ()),
        ((("environment: prod", "enviroment: x"),), "policy_property_unknown", "infisical", ()),
        ((("environment: prod", "path: payments"),), "policy_path_malformed", "infisical", ()),
        ((("environment: prod", "bucket: X"),), "policy_bucket_not_allowed", "nats-kv", BUCKET),
        (
            (("environment: prod", "bucket: B"), ("live/CARD", "ä")),
            "key_characters",
            "nats-kv",
            BUCKET,
        ),
        (((ENVIRONMENT, "engine: kv"),), "policy_property_unknown", "vault", ()),
        (((ENVIRONMENT, "mount: /../x"),), "policy_mount_malformed", "vault", ()),
        (((ENVIRONMENT, "mount: kv"), ('"3"', '"03"')), "version_malformed", "vault", ()),
        (((ENVIRONMENT, "namespace: Shop"),), "namespace_malformed", "kubernetes", ()),
    ],
)
def test_what_the_store_cannot_hold_is_an_error(
    tmp_path: Path,
    changes: tuple[tuple[str, str], ...],
    code: str,
    store: str,
    settings: tuple[str, ...],
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(spoilt(*changes))

    result = run(str(file), "--store", store, *settings)

    assert result.exit_code == 1
    assert result.output.count(f"[{code}]") == 1
    assert run(str(file), "--store", "other").exit_code == 0


def test_names_of_kubernetes_secrets_are_in_lower_case(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(spoilt((ENVIRONMENT, "namespace: shop"), ("key: API_KEY", "key: db/API_KEY")))

    lines = run(str(file), "--store", "kubernetes").output.splitlines()

    assert not any("api-key" in line for line in lines)
    assert sum("[key_secret_name]" in line for line in lines) == 4


def test_where_a_store_reads_by_default_is_as_the_service_has_it() -> None:
    environment = {"INFISICAL_SECRET_PATH": "/shop", "INFISICAL_ENVIRONMENT": "dev"}
    option = "INFISICAL_PROJECT_ID=p-1"
    shape = shape_of("infisical", [option], Variables(environment))
    assert shape is not None

    location = shape.locate(SecretReference("KEY"))

    assert location == SecretLocation("/shop/KEY", (("environment", "dev"), ("project_id", "p-1")))


def test_a_plug_in_older_than_this_check_leaves_keys_unchecked() -> None:
    class Old(Registry):
        @override
        def store(self, name: str) -> Any:
            return SimpleNamespace(name=name, title="Old", settings=NatsKvSettings)

    assert shape_of("old", [], Variables({}), Old()) is None


def test_the_running_configuration_names_backend_and_store(good: str) -> None:
    env = {"BACKEND_NAME": "nats-kv", "SECRET_STORE": "nats-kv"}

    result = run(good, env=env)

    assert "[backend_not_served]" in result.output
    assert run(good, env={"BACKEND_NAME": "infisical"}).exit_code == 0


def test_the_rules_judge_each_secret_with_the_token_that_the_host_will_send(
    good: str, rules: list[str]
) -> None:
    result = run(good, *rules, "--account", "LATTICE_A", "--json")

    found = {
        (f["place"].rpartition("secrets[")[2][3:].strip('": '), f["code"])
        for f in json.loads(result.output)["findings"]
    }
    assert found == {("bucket-token", "refused_by_rules"), ("mail-key", "not_judged")}


def test_a_condition_on_the_account_is_judged_by_the_account_that_is_given(
    good: str, rules: list[str]
) -> None:
    result = run(good, *rules, "--account", "LATTICE_B")

    assert result.exit_code == 1
    assert result.output.count("[refused_by_rules]") == 3
    assert 'the token of "checkout"' in result.output


def test_the_manifest_of_the_readme_has_no_findings(tmp_path: Path) -> None:
    (block,) = [text for text in code_blocks(README, "yaml") if "core.oam.dev" in text]
    file = tmp_path / "readme.yaml"
    file.write_text(block)

    result = run(str(file), "--backend", "infisical")

    assert result.output.startswith("no errors, no warnings")
