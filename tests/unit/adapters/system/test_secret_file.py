"""Files that hold one secret, as editors, shells and downloads leave them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.system.secret_file import (
    Kind,
    SecretFileError,
    read_secret_file,
    read_secret_text,
    secret_in,
)

# Not drawn: the names of tests are made of these, and each process has to find the same tests.
SEED = SodiumXKeyPair(b"x" * 32).seed_text()
USER_SEED = SigningKey(KeyKind.USER, b"u" * 32).seed_text()
OPAQUE = "canary!9b1f#deZ"

ADDED: dict[str, Callable[[str], bytes]] = {
    "nothing": lambda text: text.encode(),
    "a newline": lambda text: f"{text}\n".encode(),
    "a Windows line end": lambda text: f"{text}\r\n".encode(),
    "an old Mac line end": lambda text: f"{text}\r".encode(),
    "empty lines": lambda text: f"\n\n  {text}\t\n\n".encode(),
    "a UTF-8 mark": lambda text: f"{text}\n".encode("utf-8-sig"),
    "UTF-16 with a mark": lambda text: f"{text}\r\n".encode("utf-16"),
    "UTF-16 of the other order": lambda text: b"\xfe\xff" + f"{text}\n".encode("utf-16-be"),
    "UTF-32": lambda text: f"{text}\n".encode("utf-32"),
}


@pytest.mark.parametrize("added", ADDED)
@pytest.mark.parametrize(
    ("text", "kind"),
    [(SEED, Kind.SEED), (OPAQUE, Kind.OPAQUE), ("s.Ab-1_2", Kind.OPAQUE), ("a.b-c_=", None)],
)
def test_what_an_editor_or_a_download_adds_is_dropped(
    added: str, text: str, kind: Kind | None
) -> None:
    chosen = kind or Kind.OPAQUE

    assert secret_in(ADDED[added](text), chosen) == text


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("-----BEGIN USER NKEY SEED-----", "------END USER NKEY SEED------"),
        ("-----BEGIN NKEY SEED-----", "-----END NKEY SEED-----"),
        ("---BEGIN CURVE XKEY SEED---", "***END CURVE XKEY SEED***"),
        ("-----BEGIN SEED-----", "------END SEED------"),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\n\n"])
def test_the_lines_around_a_seed_are_dropped(begin: str, end: str, line_end: str) -> None:
    text = line_end.join(("", begin, USER_SEED, end, "", "**** keep it secret ****", ""))

    assert secret_in(text.encode("utf-8-sig"), Kind.SEED) == USER_SEED


@pytest.mark.parametrize(
    ("content", "kind", "named"),
    [
        ("", Kind.OPAQUE, "is empty"),
        ("\ufeff \r\n", Kind.SEED, "is empty"),
        (f"{OPAQUE}\nsecond", Kind.OPAQUE, "several lines"),
        (f"{OPAQUE}\u2028second", Kind.OPAQUE, "several lines"),
        (f'"{OPAQUE}"', Kind.OPAQUE, "quotes around"),
        (f"'{SEED}'\n", Kind.SEED, "quotes around"),
        (f"{OPAQUE[:4]}\u200b{OPAQUE[4:]}", Kind.OPAQUE, "U+200B (zero width space) at place 5"),
        (f"{OPAQUE}\ufeff", Kind.OPAQUE, "U+FEFF (zero width no-break space)"),
        (f"{OPAQUE[:4]} {OPAQUE[4:]}", Kind.OPAQUE, "U+0020 (space) at place 5"),
        (f"{OPAQUE[:4]}\x00{OPAQUE[4:]}", Kind.TOKEN, "U+0000 (control character)"),
        (f"{SEED[:-1]}-", Kind.SEED, "a character at place 58"),
        (SEED.lower(), Kind.SEED, "a character at place 1"),
        (f"---BEGIN USER NKEY SEED---\n{USER_SEED}", Kind.SEED, "BEGIN or END"),
        (f"-----BEGIN TOKEN-----\n{OPAQUE}\n-----END TOKEN-----", Kind.OPAQUE, "BEGIN or END"),
    ],
)
def test_what_no_secret_of_the_kind_holds_is_named_by_its_place(
    content: str, kind: Kind, named: str
) -> None:
    with pytest.raises(SecretFileError) as caught:
        secret_in(content.encode(), kind)

    assert named in str(caught.value)
    assert OPAQUE[:4] not in str(caught.value)
    assert SEED[:6] not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("data", [b"\xff\x00\x80", b"abc\xe9", b"\x1f\x8b\x08"])
def test_bytes_that_are_no_text_are_refused_without_being_shown(data: bytes) -> None:
    with pytest.raises(SecretFileError, match="no text in UTF-8") as caught:
        secret_in(data, Kind.OPAQUE)

    assert caught.value.__context__ is None


def test_a_file_that_is_too_long_is_refused_before_it_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("a" * 101, "ascii")

    with pytest.raises(SecretFileError, match="longer than 100 bytes"):
        read_secret_file(path, Kind.OPAQUE, 100)


def test_a_file_says_whether_others_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(SEED, "ascii")
    path.chmod(0o600)
    mine = read_secret_file(path, Kind.SEED)
    path.chmod(0o644)

    assert not mine.open_to_others
    assert read_secret_file(path, Kind.SEED).open_to_others
    assert SEED not in repr(mine)


def test_a_folder_is_no_secret(tmp_path: Path) -> None:
    with pytest.raises(SecretFileError, match=r"is not read|cannot be read"):
        read_secret_text(tmp_path)


def test_a_file_that_is_not_there_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_secret_file(tmp_path / "absent", Kind.TOKEN)
