"""Keys read as paths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.errors import InvalidRequest
from domain.model.key_path import MAX_KEY_LENGTH, KeyPath, parse_folder, parse_key


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("API_KEY", KeyPath(absolute=False, folders=(), name="API_KEY")),
        ("payments/API_KEY", KeyPath(absolute=False, folders=("payments",), name="API_KEY")),
        ("/payments/eu/KEY", KeyPath(absolute=True, folders=("payments", "eu"), name="KEY")),
        ("/API_KEY", KeyPath(absolute=True, folders=(), name="API_KEY")),
        ("name with space *?%2F#", KeyPath(False, (), "name with space *?%2F#")),
        ("ключ", KeyPath(absolute=False, folders=(), name="ключ")),
    ],
)
def test_a_key_is_read_as_folders_and_a_name(key: str, expected: KeyPath) -> None:
    assert parse_key(key) == expected


@pytest.mark.parametrize(
    "key",
    ["", "/", "//", "a/", "a//b", "//a", ".", "..", "a/..", "../a", "./a", "a/*/b", "*/b", "a\0b"],
)
def test_a_key_with_a_second_reading_is_refused(key: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_key(key)


def test_a_key_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        parse_key("a\ud800")


def test_a_key_may_be_long_but_not_endless() -> None:
    assert parse_key("k" * MAX_KEY_LENGTH).name == "k" * MAX_KEY_LENGTH
    with pytest.raises(InvalidRequest):
        parse_key("k" * (MAX_KEY_LENGTH + 1))


def test_a_relative_key_stands_below_the_base_and_an_absolute_one_does_not() -> None:
    assert parse_key("a/KEY").below(("base",)) == ("base", "a")
    assert parse_key("/a/KEY").below(("base",)) == ("a",)


@pytest.mark.parametrize(
    ("path", "folders"),
    [("/", ()), ("/a", ("a",)), ("/a/b", ("a", "b")), ("/a/b/", ("a", "b"))],
)
def test_a_folder_is_read_with_or_without_its_trailing_slash(
    path: str, folders: tuple[str, ...]
) -> None:
    assert parse_folder(path) == folders


@pytest.mark.parametrize("path", ["", "a", "a/b", "//", "/a//b", "/..", "/a/../b", "/*", "/a/*"])
def test_a_folder_with_a_second_reading_is_refused(path: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_folder(path)


@given(st.text())
def test_whatever_is_accepted_can_be_written_back_in_one_way_only(key: str) -> None:
    try:
        path = parse_key(key)
    except InvalidRequest:
        return

    assert ("/" if path.absolute else "") + "/".join((*path.folders, path.name)) == key
