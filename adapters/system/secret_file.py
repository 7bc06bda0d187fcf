"""Files that hold one secret: a seed, a token, a client secret.

What an editor, a shell or a download adds is dropped: a byte order mark, UTF-16, line ends and
blanks around the secret, the BEGIN and END lines around an nkey seed. What is left must be one line
of characters that such a secret can hold. Anything else is named as a problem of the file, by its
place and never by what stands around it, so that no wrong login is ever sent.
"""

from __future__ import annotations

import codecs
import errno
import re
import string
import unicodedata
from enum import Enum
from typing import TYPE_CHECKING, Final

from adapters.system.files import UnsafeFileError, read_file
from domain.model.opaque import opaque

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.system.files import FileContent

MAX_BYTES: Final = 64 * 1024

_DECORATION: Final = re.compile(r"[-_*]{3,}\s*(BEGIN|END)\b[^\r\n]*", re.IGNORECASE)
_SEED: Final = re.compile(
    r"-{3,}\s*BEGIN [A-Z ]*SEED\s*-{3,}\s+(\S+)\s+[-*]{3,}\s*END [A-Z ]*SEED\s*[-*]{3,}"
)
_QUOTES: Final = ('"', "'", "`")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    # Before UTF-16, whose mark is the beginning of this one.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class SecretFileError(Exception):
    """The file gives no secret; the text goes on where its name ends and holds nothing of it."""


class Kind(Enum):
    """What a file is to hold: its name in prose, and the characters that one can have."""

    def __init__(self, title: str, characters: frozenset[str]) -> None:
        self.title = title
        self.characters = characters

    OPAQUE = ("secret", frozenset(string.digits + string.ascii_letters + string.punctuation))
    TOKEN = ("token", frozenset(string.digits + string.ascii_letters + "._~+/=:-"))
    SEED = ("seed", frozenset(string.ascii_uppercase + "234567"))


@opaque
class SecretFile:
    """What a file holds.

    Attributes:
        text: the secret alone.
        open_to_others: whether users beside the owner may use the file.
    """

    text: str
    open_to_others: bool = False


def read_secret_file(path: Path, kind: Kind, max_bytes: int = MAX_BYTES) -> SecretFile:
    """Read the secret in a file.

    Raises:
        FileNotFoundError: there is no such file.
        SecretFileError: it cannot be read, or holds no secret of that kind.
    """
    content = _content(path, max_bytes + 1)
    if len(content.data) > max_bytes:
        raise SecretFileError(f"is longer than {max_bytes} bytes; keep the {kind.title} alone.")
    return SecretFile(secret_in(content.data, kind), content.open_to_others)


def read_secret_text(path: Path, max_bytes: int = MAX_BYTES) -> str:
    """Return the text of a file that holds more than a secret, such as `.creds`.

    Raises:
        FileNotFoundError: there is no such file.
        SecretFileError: it cannot be read, or is no text.
    """
    return _decoded(_content(path, max_bytes).data)


def secret_in(data: bytes, kind: Kind) -> str:
    """Return the secret that a file's bytes hold.

    Raises:
        SecretFileError: they hold no secret of that kind.
    """
    text = _decoded(data).strip()
    if kind is Kind.SEED:
        text = _undecorated(text)
    if not text:
        raise SecretFileError(f"is empty; write the {kind.title} into it.")
    if _DECORATION.search(text):
        raise SecretFileError(
            f"has BEGIN or END lines, which no {kind.title} has; write the {kind.title} alone."
        )
    if len(text.splitlines()) > 1:
        raise SecretFileError(
            f"has several lines; write the {kind.title} alone into it, on one line."
        )
    if len(text) > 1 and text[0] in _QUOTES and text[-1] == text[0]:
        raise SecretFileError(f"has quotes around the {kind.title}; write it without them.")
    for place, character in enumerate(text, start=1):
        if character not in kind.characters:
            raise SecretFileError(_foreign(character, place, kind))
    return text


def unreadable(error: OSError) -> str:
    """Return why a file cannot be read, as `SecretFileError` has it."""
    if isinstance(error, UnsafeFileError):
        return f"is not read: {error.strerror}."
    name = errno.errorcode.get(error.errno or 0, "an unknown error")
    return f"cannot be read ({name}); check its mode, its owner and the mount."


def _content(path: Path, max_bytes: int) -> FileContent:
    try:
        return read_file(path, max_bytes)
    except FileNotFoundError:
        raise
    except OSError as error:
        advice = unreadable(error)
    raise SecretFileError(advice)


def _decoded(data: bytes) -> str:
    marked = ((mark, encoding) for mark, encoding in _BOMS if data.startswith(mark))
    mark, encoding = next(marked, (b"", "utf-8"))
    try:
        return data[len(mark) :].decode(encoding)
    except UnicodeDecodeError:
        pass
    raise SecretFileError("holds no text in UTF-8; it may be another, binary file.")


def _undecorated(text: str) -> str:
    """Return the seed between BEGIN and END lines, as `nsc` and `nk` write them."""
    found = _SEED.findall(text)
    if len(found) > 1:
        raise SecretFileError("holds several seeds; keep one of them.")
    return found[0] if found else text


def _foreign(character: str, place: int, kind: Kind) -> str:
    if character.isascii() and character.isprintable() and not character.isspace():
        what = "a character"
    else:
        name = unicodedata.name(character, "control character").lower()
        what = f"U+{ord(character):04X} ({name})"
    return (
        f"holds {what} at place {place}, which no {kind.title} can hold; write the {kind.title} "
        "into it again, alone."
    )


def secret_file_problem(path: Path | None, kind: Kind) -> str | None:
    """Return what keeps a file from giving its secret, as settings say it; None if nothing."""
    try:
        if path is not None:
            read_secret_file(path, kind)
    except FileNotFoundError:
        return "names a file that does not exist; check the path and the mount."
    except SecretFileError as error:
        return f"names a file that {error}"
    return None
