"""What the check says of secrets that wadm lets pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wadm_manifest.check import check_files, read_file
from adapters.wadm_manifest.model import configuration_name
from adapters.wadm_manifest.tree import ManifestUnreadableError
from tests.unit.adapters.wadm_manifest.manifests import GOOD, codes, spoilt


def advice(text: str, *backends: str) -> list[str]:
    file = read_file("shop.yaml", text.encode())
    check_files([file], backends)
    return [finding.advice for finding in file.sorted_findings]


@pytest.mark.parametrize("other", ["api-key", "API-Key", "api_key", "api.key"])
def test_two_secrets_with_one_stored_name_and_different_keys_are_found(other: str) -> None:
    """Wadm writes both to one configuration, and each component gets the first one's key."""
    text = spoilt(("- name: mail-key", f"- name: {other}"))

    assert codes(text) == [(49, "secret_name_shared")]
    assert "line 20" in advice(text)[0]


def test_the_same_secret_under_the_same_name_in_two_components_is_fine() -> None:
    text = spoilt(
        ("- name: mail-key", "- name: card"),
        ("key: MAIL_KEY", "key: live/CARD, field: password"),
    )

    assert codes(text) == []


def test_secrets_of_different_files_can_share_a_stored_name() -> None:
    first = read_file("a.yaml", spoilt(("name: shop", "name: shop"), ("api-key", "a-b")).encode())
    text = spoilt(("name: shop", "name: SHOP"), ("- name: mail-key", "- name: a_b"))
    second = read_file("b.yaml", text.encode())
    check_files([first, second], ())

    found = [finding for finding in second.findings if "a.yaml" in finding.advice]
    assert configuration_name("shop", "a-b") == configuration_name("SHOP", "a_b")
    assert {finding.code for finding in found} == {"secret_name_shared"}


@pytest.mark.parametrize("backends", [("infisical",), ("nats-kv", "infisical"), ()])
def test_a_backend_that_is_served_is_fine(backends: tuple[str, ...]) -> None:
    assert codes(GOOD, *backends) == []


def test_a_backend_that_is_not_served_is_told_with_the_nearest_name() -> None:
    (found,) = advice(GOOD, "infisicle")

    assert "served are infisicle" in found
    assert 'Did you mean "infisicle"?' in found


REDIS = (
    ("registry.example.com/blobstore-s3:1.0.0", "ghcr.io/wasmcloud/keyvalue-redis:0.30.0"),
    ("- name: files-login", "- name: url"),
)


def test_a_link_secret_for_keyvalue_redis_is_never_read() -> None:
    assert codes(spoilt(*REDIS)) == [(37, "not_read_by_provider"), (42, "not_read_by_provider")]


def test_keyvalue_redis_reads_one_secret_of_its_own() -> None:
    text = spoilt(REDIS[0], ("- name: files-login", "- name: default-password"))

    assert (56, "not_read_by_provider") in codes(text)


def test_a_link_between_two_components_has_no_provider_to_ask_with() -> None:
    text = spoilt(("name: files\n", "name: mail\n"))

    assert codes(text) == [(37, "link_without_provider"), (42, "link_without_provider")]


def test_several_documents_are_each_read_and_wadm_takes_but_one() -> None:
    kubernetes = "apiVersion: v1\nkind: ConfigMap\n"

    assert codes(f"{GOOD}---\n{kubernetes}---\n{spoilt(('name: shop', 'name: other'))}") == [
        (59, "not_an_application"),
        (59, "several_documents"),
    ]


@pytest.mark.parametrize("text", ["canary: [", "{", "\tcanary: 1", "[" * 700, "x: *canary"])
def test_what_is_no_yaml_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ManifestUnreadableError) as refused:
        codes(text)

    assert "canary" not in str(refused.value)


def test_a_list_that_holds_itself_is_no_manifest() -> None:
    assert codes("&a [*a]") == [(1, "not_an_application"), (1, "wrong_form")]


def test_a_file_of_aliases_that_would_grow_without_bound_is_refused() -> None:
    bomb = f"a0: &a0 {{name: s}}\na1: &a1 [{', '.join(['*a0'] * 500)}]\n"
    secrets = "    - {type: component, properties: {secrets: *a1}}\n" * 250
    top = GOOD.split("  components:")[0].replace("spec:", bomb + "spec:")

    with pytest.raises(ManifestUnreadableError, match="more than"):
        codes(f"{top}  components:\n{secrets}")


def test_what_is_no_text_or_too_large_is_refused() -> None:
    with pytest.raises(ManifestUnreadableError, match="UTF-8"):
        read_file("x", b"\xff\xfe\x00")
    with pytest.raises(ManifestUnreadableError, match="bytes"):
        read_file("x", b"#" * 1_048_577)


_SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab:#\n", max_size=5)
_NAMES = st.sampled_from(
    ["name", "type", "properties", "secrets", "policy", "key", "traits", "target", "source", "x"]
)
_TREES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4)
)


@given(_TREES, _TREES)
def test_no_form_of_a_manifest_ends_in_anything_but_findings(first: object, second: object) -> None:
    import json  # noqa: PLC0415  JSON is YAML

    document = {
        "kind": "Application",
        "metadata": first,
        "spec": {"policies": [second, first], "components": [first, second]},
    }

    assert codes(json.dumps(document)) != []
