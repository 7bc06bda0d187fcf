"""The `.env` file: read only where nobody but this user and root can have written it.

It lies wherever the process was started, so that another user's folder could otherwise bring the
settings of a process that merely starts there.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from io import StringIO
from typing import TYPE_CHECKING, Final

from dotenv import dotenv_values
from pydantic_settings import DotEnvSettingsSource
from pydantic_settings.sources.utils import parse_env_vars
from typing_extensions import override

from adapters.system.files import UnsafeFileError, process_user, read_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MAX_BYTES: Final = 1024 * 1024

_ROOT = 0
_WRITABLE_BY_OTHERS = 0o022

_values: ContextVar[Mapping[str, str | None]] = ContextVar("dotenv_values")


class DotEnvFileError(Exception):
    """The file is not used; the text goes on where its name ends, and holds nothing of it."""


class ReadDotEnv(DotEnvSettingsSource):
    """Gives settings what `dotenv_of` has read."""

    @override
    def _read_env_files(self) -> Mapping[str, str | None]:
        return parse_env_vars(
            _values.get({}), self.case_sensitive, self.env_ignore_empty, self.env_parse_none_str
        )


@contextmanager
def dotenv_of(path: Path | None) -> Iterator[None]:
    """Give the settings that are loaded meanwhile what the file says; it need not exist.

    Raises:
        DotEnvFileError: it is there and is not used.
    """
    token = _values.set({} if path is None else _read(path))
    try:
        yield
    finally:
        _values.reset(token)


def _read(path: Path) -> Mapping[str, str | None]:
    try:
        content = read_file(path, MAX_BYTES + 1)
        text = content.data.decode("utf-8")
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
            return dotenv_values(stream=StringIO(text))
    raise DotEnvFileError(advice)
