"""Single values of the agent's configuration: each reader notes what is wrong and returns None."""

from __future__ import annotations

import grp
import pwd
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from adapters.access_policy import values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adapters.access_policy.node_reader import NodeReader

_MODE: Final = re.compile(r"0?[0-7]{3}", re.ASCII)
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)

_Value = TypeVar("_Value")


def read_member(
    members: Mapping[str, NodeReader], member: str, read: Callable[[NodeReader], _Value | None]
) -> _Value | None:
    """Read a member if it is there."""
    return read(members[member]) if member in members else None


def member_or(
    members: Mapping[str, NodeReader],
    member: str,
    read: Callable[[NodeReader], _Value | None],
    default: _Value,
) -> _Value:
    """Read a member; the default is for one that is not there, or not as it must be."""
    value = read_member(members, member, read)
    return default if value is None else value


def absolute_path(reader: NodeReader) -> Path | None:
    """Read a path from the root that holds no "..", as rules on it compare it."""
    text = values.name(reader)
    if text is None:
        return None
    path = Path(text)
    if path.is_absolute() and ".." not in path.parts and "\0" not in text and len(path.parts) > 1:
        return path
    reader.wrong('write an absolute path without "..", such as /run/wasmcloud-secrets/payments')
    return None


def plain_name(reader: NodeReader) -> str | None:
    """Read one name, which no pattern can be."""
    text = values.name(reader)
    if text is None or (text.isprintable() and "*" not in text):
        return text
    reader.wrong("write one name: no asterisk, and no character that does not show")
    return None


def user(reader: NodeReader) -> int | None:
    """Read a user by name or number."""
    return _number(reader, "user", lambda name: pwd.getpwnam(name).pw_uid)


def group(reader: NodeReader) -> int | None:
    """Read a group by name or number."""
    return _number(reader, "group", lambda name: grp.getgrnam(name).gr_gid)


def directory_mode(reader: NodeReader) -> int | None:
    """Read a directory's mode: all for its owner, and no right to change it for others."""
    return _mode(reader, needed=0o700, refused=0o022, example="0750")


def file_mode(reader: NodeReader) -> int | None:
    """Read a file's mode: readable by its owner, and never to be run or changed by others."""
    return _mode(reader, needed=0o400, refused=0o133, example="0440")


def _number(reader: NodeReader, what: str, look_up: Callable[[str], int]) -> int | None:
    text = values.name(reader)
    if text is None or _NUMBER.fullmatch(text):
        return None if text is None else int(text)
    try:
        return look_up(text)
    except (KeyError, ValueError):
        reader.wrong(f"no {what} has this name here; write the name of one, or its number")
    return None


def _mode(reader: NodeReader, *, needed: int, refused: int, example: str) -> int | None:
    text = reader.text()
    if text is None:
        return None
    mode = int(text, 8) if _MODE.fullmatch(text) else None
    if mode is not None and mode & needed == needed and not mode & refused:
        return mode
    reader.wrong(
        f"write a mode in octal, such as {example}: with {needed:04o} and without {refused:04o}"
    )
    return None
