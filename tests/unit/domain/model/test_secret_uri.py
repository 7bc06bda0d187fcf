"""References to secrets: one spelling for each part, read exactly or refused."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.authenticated_request import AskedSecret
from domain.model.errors import InvalidRequest
from domain.model.key_path import MAX_KEY_LENGTH
from domain.model.secret_uri import (
    MAX_URI_LENGTH,
    SCHEME,
    SecretUri,
    mentions_secret,
    parse_secret_uri,
)

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
NAME = TEXT.filter(bool)


def encoded(text: str) -> str:
    return quote(text, safe="")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("secret://API_KEY", SecretUri(AskedSecret("API_KEY"))),
        ("secret://payments/API_KEY", SecretUri(AskedSecret("payments/API_KEY"))),
        ("secret:///payments/API_KEY", SecretUri(AskedSecret("/payments/API_KEY"))),
        ("secret://a+b%2Bc%20d", SecretUri(AskedSecret("a+b+c d"))),
        ("secret://%C3%A4%e2%82%ac", SecretUri(AskedSecret("ä€"))),
        ("secret://a%253Fb", SecretUri(AskedSecret("a%3Fb"))),
        ("secret://DB?field=user", SecretUri(AskedSecret("DB", "user"))),
        ("secret://DB?field=", SecretUri(AskedSecret("DB", ""))),
        ("secret://DB?version=3&backend=kv", SecretUri(AskedSecret("DB", None, "3"), {}, "kv")),
        (
            "secret://DB?environment=prod&path=%2Fa%26b%3Dc&x=",
            SecretUri(AskedSecret("DB"), {"environment": "prod", "path": "/a&b=c", "x": ""}),
        ),
        ("secret://DB?a=b=c", SecretUri(AskedSecret("DB"), {"a": "b=c"})),
    ],
)
def test_a_reference_is_read(text: str, meant: SecretUri) -> None:
    assert parse_secret_uri(text) == meant


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "begins with"),
        ("API_KEY", "begins with"),
        ("SECRET://API_KEY", "begins with"),
        (" secret://API_KEY", "begins with"),
        ("secret://", "the key is missing"),
        ("secret://?field=a", "the key is missing"),
        ("secret://A?", "nothing stands after"),
        ("secret://A?field", "NAME=VALUE"),
        ("secret://A?=a", "NAME=VALUE"),
        ("secret://A?a=b&", "NAME=VALUE"),
        ("secret://A?&a=b", "NAME=VALUE"),
        ("secret://A?a=b&a=c", "twice"),
        ("secret://A?field=b&fi%65ld=c", "twice"),
        ("secret://A?version=", "have a name"),
        ("secret://A?backend=", "have a name"),
        ("secret://A?a=b?c", "must be written as %"),
        ("secret://A#b", "must be written as %"),
        ("secret://A b", "must be written as %"),
        ("secret://A\n", "must be written as %"),
        ("secret://ä", "must be written as %"),
        ("secret://A%", "must be written as %"),
        ("secret://A%2", "must be written as %"),
        ("secret://A%zz", "must be written as %"),
        ("secret://A%u0041", "must be written as %"),
        ("secret://A%FF", "not UTF-8"),
        ("secret://A%ED%A0%80", "not UTF-8"),
        ("secret://A%C0%AF", "not UTF-8"),
        ("secret://A%00", "not UTF-8"),
        ("secret://" + "a" * (MAX_KEY_LENGTH + 1), "at most"),
        ("secret://A?version=" + "1" * 257, "at most"),
        ("secret://A?" + "&".join(f"p{n}=1" for n in range(80)), "properties"),
        ("secret://" + "a" * MAX_URI_LENGTH, "at most"),
    ],
)
def test_anything_else_is_refused_and_not_repeated(text: str, advice: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_secret_uri(text)

    assert advice in refused.value.advice
    assert refused.value.reason == "secret_uri_malformed"
    for part in text.removeprefix(SCHEME).split("?"):
        assert len(part) < 5 or part not in refused.value.advice


@given(
    NAME,
    st.dictionaries(NAME.filter(lambda name: name not in {"field", "version", "backend"}), TEXT),
    st.none() | TEXT,
    st.none() | NAME,
)
def test_what_is_written_with_escapes_is_read_back_exactly(
    key: str, properties: dict[str, str], field: str | None, version: str | None
) -> None:
    parts = [f"{encoded(name)}={encoded(value)}" for name, value in properties.items()]
    parts += [f"field={encoded(field)}"] if field is not None else []
    parts += [f"version={encoded(version)}"] if version is not None else []
    text = f"{SCHEME}{encoded(key)}" + ("?" + "&".join(parts) if parts else "")

    assert parse_secret_uri(text) == SecretUri(AskedSecret(key, field, version), properties)


@given(st.text(max_size=60) | st.text("secrt:/%?&=aé2F+ ", max_size=60))
def test_no_text_does_anything_but_be_read_or_refused(tail: str) -> None:
    try:
        found = parse_secret_uri(SCHEME + tail)
    except InvalidRequest:
        return
    assert found.asked.key
    assert len(found.asked.key) <= len(tail)
    assert tail.isascii()


@given(TEXT, st.sampled_from(["secret://", "SECRET://", "Secret://"]), TEXT)
def test_the_scheme_is_noticed_wherever_it_stands(head: str, scheme: str, tail: str) -> None:
    assert mentions_secret(head + scheme + tail)
    assert not mentions_secret("secret:/" + "/".join("x"))
