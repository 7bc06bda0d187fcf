"""Headers for a collector are read as OpenTelemetry's own variables write them."""

from __future__ import annotations

import pytest

from adapters.tracing.headers import parse_headers


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("Authorization=Bearer%20abc", {"authorization": "Bearer abc"}),
        (" x-team = shop , x-key=a==,", {"x-team": "shop", "x-key": "a=="}),
        ("x-a=1\nx-b=2\n", {"x-a": "1", "x-b": "2"}),
        ("x-a=a%2Cb", {"x-a": "a,b"}),
    ],
)
def test_pairs_are_read(text: str, headers: dict[str, str]) -> None:
    read = parse_headers(text)

    assert {name: value.get_secret_value() for name, value in read.items()} == headers


def test_values_are_hidden() -> None:
    assert "canary" not in repr(parse_headers("x-key=canary"))


@pytest.mark.parametrize(
    "text",
    ["", ",", "canary", "x-key=", "=canary", "x key=canary", "x=canary%0d%0ax-b: 1", "x=canary%00"],
)
def test_anything_else_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match="Authorization=Bearer%20TOKEN") as raised:
        parse_headers(text)

    assert "canary" not in str(raised.value)


def test_the_pair_that_is_wrong_is_named_by_its_number() -> None:
    with pytest.raises(ValueError, match="pair 2 is none"):
        parse_headers("x-a=1,x-b")
