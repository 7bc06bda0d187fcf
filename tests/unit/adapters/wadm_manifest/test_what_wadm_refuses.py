"""The check and wadm agree on what wadm refuses, and the check sees what wadm lets pass.

What wadm does with each was recorded with `validate_manifest_file` of wadm-types 0.8.3.
"""

from __future__ import annotations

import pytest

from adapters.wadm_manifest.check import check_files, read_file
from adapters.wadm_manifest.tree import Level
from tests.unit.adapters.wadm_manifest.manifests import GOOD, codes, spoilt

REFUSED = {
    "unquoted_version": spoilt(('version: "3"', "version: 3")),
    "version_yes": spoilt(('version: "3"', "version: true")),
    "version_hexadecimal": spoilt(('version: "3"', "version: 0x1f")),
    "version_octal": spoilt(('version: "3"', "version: 0o7")),
    "version_signed": spoilt(('version: "3"', "version: +5")),
    "version_decimal": spoilt(('version: "3"', "version: 1.0")),
    "version_exponent": spoilt(('version: "3"', "version: 1e3")),
    "version_a_list": spoilt(('version: "3"', "version: [3]")),
    "unquoted_key": spoilt(("key: API_KEY", "key: 4711")),
    "unquoted_in_link": spoilt(("key: BUCKET_TOKEN", "key: BUCKET_TOKEN, version: 4")),
    "nested_property": spoilt(("environment: prod", "environment: {name: prod}")),
    "list_property": spoilt(("environment: prod", "environment: [prod, staging]")),
    "no_annotations": spoilt(
        ("  annotations:\n    description: two components and a provider\n", "")
    ),
    "top_level_member": GOOD + "status: {}\n",
    "component_property": spoilt(("        secrets:", "        secret: []\n        secrets:")),
    "trait_member": spoilt(("- type: link\n", "- type: link\n          name: x\n")),
    "no_backend": spoilt(("        backend: infisical\n", "")),
    "unknown_policy": spoilt(("              policy: main", "              policy: mian")),
    "policy_of_another_type": spoilt(("type: policy.secret", "type: policies.secret")),
    "no_properties": spoilt(("properties: {policy: main, key: MAIL_KEY}", "key: MAIL_KEY")),
    "no_key": spoilt(("key: MAIL_KEY", "field: MAIL_KEY")),
    "source": spoilt(("properties: {policy: main, key: MAIL_KEY}", "source: {policy: main}")),
    "secret_ref": spoilt(("properties: {policy: main, key: MAIL_KEY}", "secret_ref: MAIL_KEY")),
    "key_twice": spoilt(("key: MAIL_KEY", "key: MAIL_KEY, key: OTHER")),
    "secrets_empty": spoilt(
        ("        secrets:\n          - name: mail-key\n", "        secrets:\n"),
        ("            properties: {policy: main, key: MAIL_KEY}\n", ""),
    ),
    "shared": spoilt(
        ("image: registry.example.com/mail:1.0.0", "application: {name: a, component: b}")
    ),
}

TAKEN = {
    "good": GOOD,
    "good_json_style": spoilt(('version: "3"', '"version": "3"')),
    "version_with_leading_zero": spoilt(('version: "3"', "version: 010")),
    "version_null": spoilt(('version: "3"', "version: ~")),
    "name_yes": spoilt(("name: api-key", "name: yes")),
    "name_date": spoilt(("name: api-key", "name: 2026-01-01")),
    "property_a_number": spoilt(("environment: prod", "environment: 5")),
    "anchor": spoilt(
        ("properties: {policy: main, key: MAIL_KEY}", "properties: &x {policy: main, key: M}"),
        ("properties: {policy: main, key: FILES_LOGIN}", "properties: *x"),
    ),
    "misspelt_version": spoilt(('version: "3"', 'verison: "3"')),
    "misspelt_field": spoilt(("field: password", "filed: password")),
    "secret_member": spoilt(("- name: api-key", "- name: api-key\n            version: '3'")),
    "component_secrets": spoilt(("      traits:", "      secrets: []\n      traits:")),
    "link_secrets": spoilt(("            source:", "            secrets: []\n            source:")),
    "spec_policy": spoilt(("  policies:", "  policy: []\n  policies:")),
    "target_secret": spoilt(
        ("name: files\n              secrets:", "name: files\n              secret:")
    ),
    "empty_backend": spoilt(("backend: infisical", 'backend: ""')),
    "policy_twice": spoilt(
        (
            "  components:",
            (
                "    - name: main\n      type: policy.secret.wasmcloud.dev/v1alpha1\n"
                "      properties: {backend: other}\n  components:"
            ),
        )
    ),
    "secret_twice": spoilt(("- name: card", "- name: api-key")),
    "name_shared": spoilt(("- name: mail-key", "- name: api-key")),
}

FOUND_IN_TAKEN = {
    "misspelt_version": [(24, "member_dropped")],
    "misspelt_field": [(26, "member_dropped")],
    "secret_member": [(21, "member_dropped")],
    "component_secrets": [(27, "secrets_misplaced")],
    "link_secrets": [(35, "secrets_misplaced")],
    "spec_policy": [(8, "member_dropped")],
    "target_secret": [(41, "member_dropped")],
    "empty_backend": [(9, "backend_missing")],
    "policy_twice": [(14, "policy_twice")],
    "secret_twice": [(25, "secret_twice")],
    "name_shared": [(49, "secret_name_shared")],
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_wadm_refuses_is_an_error(name: str) -> None:
    file = read_file("shop.yaml", REFUSED[name].encode())
    check_files([file], ())

    assert any(finding.level is Level.ERROR for finding in file.findings)


@pytest.mark.parametrize("name", TAKEN)
def test_of_what_wadm_takes_only_what_goes_wrong_later_is_told(name: str) -> None:
    assert codes(TAKEN[name]) == FOUND_IN_TAKEN.get(name, [])
