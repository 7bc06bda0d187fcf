"""Base64url without padding: one text for each byte string."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.crypto.base64url import InvalidBase64UrlError, decode, encode


@given(st.binary(max_size=200))
def test_bytes_come_back_from_their_text(data: bytes) -> None:
    text = encode(data)

    assert decode(text) == data
    assert "=" not in text


@given(st.text(st.characters(codec="ascii"), max_size=40) | st.text(max_size=40))
def test_whatever_is_read_is_the_only_text_of_its_bytes(text: str) -> None:
    try:
        data = decode(text)
    except InvalidBase64UrlError:
        return
    assert encode(data) == text


@pytest.mark.parametrize(
    "text",
    [
        "A",  # no byte fits
        "AAAAA",
        "AB",  # bits that belong to no byte
        "AAB",
        "AA==",
        "AAA=",
        "=",
        "AAAA=",
        "AA+A",  # the other alphabet
        "AA/A",
        "AAA A",
        "AAAA\n",
        "AA.AA",
        "AA!AA",
        "AA\u00c4A",
        "\ud800\ud800",
        "AA\0A",
    ],
)
def test_any_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(InvalidBase64UrlError) as caught:
        decode(text)

    assert caught.value.__context__ is None
    assert caught.value.args == ("not unpadded base64url",)


def test_no_text_is_no_bytes() -> None:
    assert decode("") == b""
