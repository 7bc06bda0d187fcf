"""Secrets given by variables hold what one can hold, or the start names the variable."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from adapters.system.setting_types import HttpUrl, SecretText

SECRETS: TypeAdapter[SecretText] = TypeAdapter(SecretText)


@pytest.mark.parametrize("text", ["hvs.canary", "  canary\n", "pass word", "pä$$wörd", "a" * 5000])
def test_a_secret_of_one_line_is_taken_without_the_space_around_it(text: str) -> None:
    assert SECRETS.validate_python(text).get_secret_value() == text.strip()


@pytest.mark.parametrize(
    "character", ["\n", "\r\n", "\0", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\udc80"]
)
def test_a_secret_with_a_control_character_is_refused_without_its_text(character: str) -> None:
    with pytest.raises(ValidationError) as error:
        SECRETS.validate_python(f"can{character}ary")

    (problem,) = error.value.errors(include_input=False, include_context=False)
    assert "control character" in problem["msg"]
    assert "ary" not in problem["msg"].replace("another", "")


ADDRESS: TypeAdapter[str] = TypeAdapter(HttpUrl)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("https://Vault.example:8200/x/", "https://Vault.example:8200/x"),
        ("https://[::1]:6443", "https://[::1]:6443"),
        ("https://bücher.example:8200/x", "https://xn--bcher-kva.example:8200/x"),
        ("http://BÜCHER.example", "http://xn--bcher-kva.example"),
    ],
)
def test_a_host_has_only_characters_that_a_host_header_may_have(given: str, sent: str) -> None:
    assert ADDRESS.validate_python(given) == sent


@pytest.mark.parametrize("host", ["a..b", "x" * 64, "ü" * 60, ".example"])
def test_a_host_that_no_resolver_takes_is_refused(host: str) -> None:
    with pytest.raises(ValidationError):
        ADDRESS.validate_python(f"https://{host}:8200")
