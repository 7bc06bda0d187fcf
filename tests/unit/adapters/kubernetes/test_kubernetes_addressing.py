"""From keys, fields and policy properties to places, by the grammar of names of the API itself."""

from __future__ import annotations

import pytest

from adapters.kubernetes.addressing import locate, secret_name
from adapters.kubernetes.bounds import (
    Bounds,
    is_data_key,
    is_namespace,
    is_secret_name,
    is_user,
    is_version,
)
from domain.model.errors import InvalidRequest, PolicyError
from domain.model.reference import SecretLocation, SecretReference

NEVER = [
    "",
    ".",
    "..",
    "a/b",
    "a b",
    "a\0",
    "a\n",
    "a%2Fb",
    "a?b",
    "a#b",
    "ä",
    "a\\b",
    "a&b",
    "a;b",
]


@pytest.mark.parametrize("name", ["db", "db-1", "a.b.c", "0", "a" * 253, "x--y"])
def test_a_secrets_name_is_a_dns_subdomain(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", [*NEVER, "UPPER", "a_b", "-a", "a-", ".a", "a.", "a..b", "a.-b", "a" * 254]
)
def test_what_the_api_server_takes_for_no_secret_is_no_name(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize("name", ["shop", "kube-system", "0", "a" * 63])
def test_a_namespace_is_a_dns_label(name: str) -> None:
    assert is_namespace(name)


@pytest.mark.parametrize("name", [*NEVER, "a.b", "Shop", "-a", "a-", "a" * 64])
def test_what_is_no_dns_label_is_no_namespace(name: str) -> None:
    assert not is_namespace(name)


@pytest.mark.parametrize(
    "key", ["password", "tls.crt", ".dockerconfigjson", "UPPER_and-dash.dot_9", "a..b", "k" * 253]
)
def test_a_key_inside_a_secret_may_have_dots_and_capitals(key: str) -> None:
    assert is_data_key(key)


@pytest.mark.parametrize("key", [*NEVER, "..data", "...", "k" * 254, "a:b"])
def test_what_the_api_server_refuses_to_store_is_no_key(key: str) -> None:
    assert not is_data_key(key)


@pytest.mark.parametrize("user", ["jane", "system:serviceaccount:shop:reader", "Jane Doe", "a@b.c"])
def test_a_user_is_printable(user: str) -> None:
    assert is_user(user)


@pytest.mark.parametrize("user", ["", " ", " jane", "jane ", "a\r\nX: y", "a\0b", "ä", "u" * 1025])
def test_what_could_break_or_void_a_header_is_no_user(user: str) -> None:
    assert not is_user(user)


@pytest.mark.parametrize("version", ["1", "206", "18446744073709551615"])
def test_a_version_is_a_whole_number(version: str) -> None:
    assert is_version(version)


@pytest.mark.parametrize(
    "version", ["", "0", "01", "-1", "1.5", "latest", "\u0661", "1 ", "9" * 21]
)
def test_anything_else_is_no_version(version: str) -> None:
    assert not is_version(version)


BOUNDS = Bounds.of("shop", ("pay",))
SCOPE = (("namespace", "shop"),)


def place(
    key: str, field: str | None = None, bounds: Bounds = BOUNDS, **properties: str
) -> SecretLocation:
    return locate(SecretReference(key, properties, field), bounds)


def test_the_key_names_the_secret_and_the_field_its_key() -> None:
    location = place("db", "tls.crt")

    assert location == SecretLocation("/db", SCOPE, None, "tls.crt")
    assert secret_name(location) == ("db", "tls.crt")


def test_name_slash_key_leaves_the_field_to_json_members() -> None:
    location = place("db/config.json", "user")

    assert location == SecretLocation("/db/config.json", SCOPE)
    assert secret_name(location) == ("db", "config.json")


def test_the_key_alone_means_all_values() -> None:
    assert place("db") == SecretLocation("/db", SCOPE)
    assert secret_name(place("db")) == ("db", None)


def test_a_dot_separates_nothing() -> None:
    assert secret_name(place("my.db", "a.b")) == ("my.db", "a.b")
    assert secret_name(place("my.db.password")) == ("my.db.password", None)


def test_the_property_chooses_the_namespace() -> None:
    assert place("db", namespace="pay").scope == (("namespace", "pay"),)
    assert place("db", namespace="shop") == place("db")


@pytest.mark.parametrize(
    "namespace", ["other", "", "..", "Shop", "shop/secrets", "shop%2F", "a" * 64]
)
def test_a_namespace_that_is_not_allowed_is_a_policy_error(namespace: str) -> None:
    with pytest.raises(PolicyError) as refused:
        place("db", namespace=namespace)

    assert not namespace or f'"{namespace}"' not in refused.value.advice


@pytest.mark.parametrize("encoding", ["utf-8", "binary"])
def test_a_property_forces_the_form_of_the_value(encoding: str) -> None:
    assert place("db", "key", encoding=encoding).encoding == encoding


@pytest.mark.parametrize("encoding", ["", "base64", "UTF-8", "text"])
def test_another_form_is_a_policy_error(encoding: str) -> None:
    with pytest.raises(PolicyError, match="encoding"):
        place("db", encoding=encoding)


@pytest.mark.parametrize(
    "key", ["DB", "a_b", "db..x", "-db", "db/..data", "db/a b", "a/b/c", "d%62", "db/ä"]
)
def test_a_key_outside_the_grammar_is_an_invalid_request(key: str) -> None:
    with pytest.raises(InvalidRequest):
        place(key)


@pytest.mark.parametrize("field", ["", "a/b", "..", "..data", "a b", "ä", "x" * 254])
def test_a_field_that_cannot_be_a_key_is_an_invalid_request(field: str) -> None:
    with pytest.raises(InvalidRequest, match="field"):
        place("db", field)


def test_only_the_secrets_that_the_operator_names_can_be_read() -> None:
    bounds = Bounds.of("shop", ("pay",), ("db", "pay/card"))

    assert place("db", bounds=bounds, namespace="pay").path == "/db"
    assert place("card", bounds=bounds, namespace="pay").path == "/card"
    with pytest.raises(PolicyError, match="KUBERNETES_ALLOWED_SECRETS"):
        place("card", bounds=bounds)


def test_nobody_is_impersonated_unless_the_operator_names_users() -> None:
    with pytest.raises(PolicyError, match="impersonate"):
        place("db", impersonate="jane")
    with pytest.raises(PolicyError, match="impersonate"):
        place("db", impersonate="")


def test_the_user_is_part_of_the_place() -> None:
    bounds = Bounds.of("shop", users=("jane",))

    assert dict(place("db", bounds=bounds, impersonate="jane").scope)["impersonate"] == "jane"
    assert dict(place("db", bounds=bounds).scope)["impersonate"] == "-"
    for user in ("", "-", "john", "jane\r\n"):
        with pytest.raises(PolicyError):
            place("db", bounds=bounds, impersonate=user)


def test_targets_are_namespaces_or_the_secrets_named() -> None:
    assert BOUNDS.targets() == (("pay", None), ("shop", None))
    assert Bounds.of("shop", ("pay",), ("db", "pay/card")).targets() == (
        ("pay", "card"),
        ("pay", "db"),
        ("shop", "db"),
    )


@pytest.mark.parametrize(
    ("setting", "arguments"),
    [
        ("KUBERNETES_NAMESPACE", {"namespace": "Shop"}),
        ("KUBERNETES_ALLOWED_NAMESPACES", {"namespaces": ("a/b",)}),
        ("KUBERNETES_ALLOWED_SECRETS", {"secrets": ("UPPER",)}),
        ("KUBERNETES_ALLOWED_SECRETS", {"secrets": ("other/db",)}),
        ("KUBERNETES_ALLOWED_SECRETS", {"secrets": ("/db",)}),
        ("KUBERNETES_ALLOWED_IMPERSONATIONS", {"users": (" jane",)}),
        ("KUBERNETES_ALLOWED_IMPERSONATIONS", {"users": ("-",)}),
    ],
)
def test_bounds_that_cannot_be_name_their_setting(
    setting: str, arguments: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match=setting):
        Bounds.of(**{"namespace": "shop", **arguments})  # type: ignore[arg-type]
