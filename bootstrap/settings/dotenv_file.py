"""The `.env` file: read only where this user and root alone can have written it.

It lies wherever the process was started, so that another user's folder could otherwise bring the
settings of a process that merely starts there.
"""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, Final

from adapters.system.files import UnsafeFileError, process_user, read_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAX_BYTES: Final = 1024 * 1024

_ROOT = 0
_WRITABLE_BY_OTHERS = 0o022


class DotEnvFileError(Exception):
    """The file is not used; the text goes on where its name ends, and holds nothing of it."""


def read_dotenv(path: Path) -> Mapping[str, str]:
    """Return the file's variables as they are written; none if there is no such file.

    Nothing is expanded: `${…}` stays as it is.

    Raises:
        DotEnvFileError: it is there and is not used.
    """
    try:
        content = read_file(path, MAX_BYTES + 1)
        text = content.data.decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except UnsafeFileError as error:
        advice = f"is not read: {error.strerror}."
    except (OSError, UnicodeDecodeError):
        advice = "cannot be read; it must be UTF-8 text that this user may read."
    else:
        if content.owner not in {_ROOT, process_user()}:
            advice = "belongs to another user; start this elsewhere, or take the file over."
        elif content.mode & _WRITABLE_BY_OTHERS:
            advice = "may be written by other users; look at what it says, then: chmod go-w .env"
        elif len(content.data) > MAX_BYTES:
            advice = f"is longer than {MAX_BYTES} bytes; keep settings alone in it."
        else:
            return _assignments(text)
    raise DotEnvFileError(advice)


def _assignments(text: str) -> dict[str, str]:
    """Return what each line assigns.

    A line that assigns nothing is refused: the setting that it was meant to be would be missing,
    and a missing security setting is one that is off.
    """
    from dotenv.parser import parse_stream  # only where there is such a file

    found: dict[str, str] = {}
    line_of: dict[str, int] = {}
    for binding in parse_stream(StringIO(text)):
        # A binding begins with the blank lines before it.
        blank = len(binding.original.string) - len(binding.original.string.lstrip())
        line = binding.original.line + binding.original.string[:blank].count("\n")
        if binding.error or (binding.key is not None and binding.value is None):
            raise DotEnvFileError(
                f"is not read: line {line} is no assignment. Write NAME=value, NAME='value' or "
                'NAME="value", with nothing but a comment behind it; begin a comment with "#".'
            )
        if binding.key is None or binding.value is None:
            continue
        name = binding.key.upper()
        if name in line_of:
            raise DotEnvFileError(
                f"is not read: lines {line_of[name]} and {line} both set {name}; keep one of them."
            )
        found[binding.key], line_of[name] = binding.value, line
    return found
