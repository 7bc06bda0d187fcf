"""From keys and policy properties to places, and to the bytes of a path."""

from __future__ import annotations

import pytest

from adapters.upstream.policy_choices import FolderBounds
from adapters.vault.addressing import MAX_KEY_LENGTH, Addressing, Place
from adapters.vault.wire import login_path, mount_path, secret_path
from domain.model.errors import InvalidRequest, PolicyError
from domain.model.reference import SecretReference
from tests.support.refused import refused
from tests.support.vault_recordings import recording

SERVICE = Addressing(
    default=Place("secret", "team1"),
    mounts=frozenset({"team/kv"}),
    namespaces=frozenset({"team1/sub", ""}),
    bounds=FolderBounds.of("/apps", ("/apps", "/shared"), "VAULT_"),
)
UNPRINTABLE = "\n\t\0\x7f\u00a0\u200b\u2028\u3000\ufeff\ue000\ud800"
CALLER = Addressing(default=Place("secret", role="demo"), roles=frozenset({"other"}))


def locate(key: str, /, addressing: Addressing = SERVICE, **properties: str) -> tuple[str, Place]:
    location = addressing.locate(SecretReference(key, properties))
    return location.path, Place.of(location)


def test_a_relative_key_stands_below_the_configured_folder() -> None:
    assert locate("db") == ("/apps/db", Place("secret", "team1"))
    assert locate("/apps/db") == ("/apps/db", Place("secret", "team1"))


def test_a_policy_chooses_within_what_is_allowed() -> None:
    chosen = locate("db", mount="/team/kv/", namespace="/team1/sub/", path="/shared")

    assert chosen == ("/shared/db", Place("team/kv", "team1/sub"))


def test_the_names_of_secrets_vault_choose_the_same() -> None:
    assert locate("db", secret_engine_path="team/kv")[1].mount == "team/kv"
    assert locate("db", CALLER, role_name="OTHER")[1].role == "other"
    assert locate("db", role="other", role_name="other", addressing=CALLER)[1].role == "other"


@pytest.mark.parametrize("namespace", ["", "/", "root"])
def test_every_spelling_of_the_root_namespace_is_one(namespace: str) -> None:
    assert locate("db", namespace=namespace)[1] == Place("secret", "")


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"mount": "other"}, "mount_not_allowed"),
        ({"mount": "secret/data"}, "mount_not_allowed"),
        ({"mount": "sys"}, "policy_mount_malformed"),
        ({"mount": "../secret"}, "policy_mount_malformed"),
        ({"mount": "a//b"}, "policy_mount_malformed"),
        ({"mount": ""}, "policy_mount_malformed"),
        ({"mount": "secret\u200b"}, "policy_mount_malformed"),
        ({"namespace": "team2"}, "namespace_not_allowed"),
        ({"namespace": "TEAM1"}, "namespace_not_allowed"),
        ({"namespace": "team1/../team2"}, "policy_namespace_malformed"),
        ({"namespace": "team1%2Fsub"}, "policy_namespace_malformed"),
        ({"namespace": "team1 "}, "policy_namespace_malformed"),
        ({"namespace": "team1\r\nX-Vault-Token: x"}, "policy_namespace_malformed"),
        ({"role": "demo"}, "role_not_allowed"),
        ({"role_name": "demo", "role": "x"}, "policy_role_malformed"),
        ({"path": "/other"}, "path_not_allowed"),
        ({"path": "apps"}, "policy_path_malformed"),
        ({"encoding": "hex"}, "policy_encoding_unknown"),
        ({"mount_path": "jwt"}, "policy_property_unknown"),
        ({"secret": "x"}, "policy_property_unknown"),
    ],
)
def test_a_property_outside_what_is_allowed_is_a_policy_error(
    properties: dict[str, str], reason: str
) -> None:
    with pytest.raises(PolicyError) as refused:
        SERVICE.locate(SecretReference("db", properties))

    assert refused.value.reason == reason
    assert refused.value.__context__ is None


def test_a_role_can_be_chosen_only_where_callers_log_in() -> None:
    with pytest.raises(PolicyError, match="logs in as itself"):
        locate("db", role="demo")
    with pytest.raises(PolicyError, match="VAULT_ALLOWED_ROLES"):
        locate("db", CALLER, role="third")


@pytest.mark.parametrize(
    "key",
    ["", "/", "a/", "a//b", "../a", "a/../b", "a/./b", *(f"a{char}b" for char in UNPRINTABLE)],
)
def test_a_key_that_the_server_refuses_or_reads_otherwise_is_never_sent(key: str) -> None:
    with pytest.raises(InvalidRequest):
        locate(key)


def test_the_whole_path_is_bounded() -> None:
    longest = "k" * (MAX_KEY_LENGTH - len("apps/"))
    assert locate(longest)[0] == f"/apps/{longest}"

    with refused(InvalidRequest, "key_length"):
        locate(longest + "k")


def test_a_key_outside_the_allowed_folders_is_refused() -> None:
    with refused(PolicyError, "path_not_allowed"):
        locate("/apps2/db")


def test_the_encoding_is_part_of_the_place() -> None:
    assert SERVICE.locate(SecretReference("db", {"encoding": "base64"})).encoding == "base64"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("key_space", "a b"),
        ("key_percent", "a%b"),
        ("key_question", "a?b"),
        ("key_hash", "a#b"),
        ("key_plus_encoded", "a+b"),
        ("key_quote", "a\"b'"),
        ("key_backslash", "a\\b"),
        ("key_unicode", "žluť"),
        ("key_leading_space", " a"),
        ("key_trailing_space", "a "),
        ("key_double_encoded_slash", "enc%2Fslash"),
        ("key_dots_inside", "a..b"),
        ("key_dot_end", "ab."),
        ("key_braces", "{a}"),
        ("key_tilde", "~a"),
        ("key_dash", "-a"),
    ],
)
def test_the_bytes_on_the_wire_are_those_that_a_real_server_read_right(name: str, key: str) -> None:
    addressing = Addressing(default=Place("secret"))
    location = addressing.locate(SecretReference(f"k/{key}"))

    assert secret_path("secret", 2, location.path) == recording(name).target


@pytest.mark.parametrize(
    ("key", "encoded"),
    [
        *((f"a{char}b", f"a%{ord(char):02X}b") for char in ";:,@*&=$!'()[]"),
        ("...", "..."),
        ("/x", "x"),
    ],
)
def test_nothing_but_unreserved_characters_stays_unencoded(key: str, encoded: str) -> None:
    location = Addressing(default=Place("secret")).locate(SecretReference(key))

    assert secret_path("team/k v", 1, location.path) == f"/v1/team/k%20v/{encoded}"


def test_mounts_of_several_segments_keep_their_slashes() -> None:
    assert mount_path("team/a kv") == "/v1/sys/internal/ui/mounts/team/a%20kv"
    assert login_path("team/jwt") == "/v1/auth/team/jwt/login"
