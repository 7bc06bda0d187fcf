"""Addresses of HTTP servers in settings, as they go over the wire."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from adapters.system.setting_types import HttpUrl

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
