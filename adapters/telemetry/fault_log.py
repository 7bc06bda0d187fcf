"""Unexpected failures, as one log record each: types and frames, without the exceptions' texts.

An exception's message, and the locals of its frames, may hold a secret: a JSON decoder keeps the
whole text it failed on, a validation error keeps its input.
"""

from __future__ import annotations

import contextlib
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from typing_extensions import override

from ports.fault_log import FaultLog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from structlog.typing import EventDict, WrappedLogger

MAX_FRAMES = 32
MAX_CAUSES = 8


class StructlogFaultLog(FaultLog):
    """Writes `fault.unexpected` with the error's type and frames; never raises."""

    def __init__(self) -> None:
        self._log = structlog.get_logger()

    @override
    def unexpected(self, error: BaseException, request_id: str) -> None:
        with contextlib.suppress(Exception):
            self._log.error("fault.unexpected", request_id=request_id, **describe_error(error))


_PROJECT = Path(__file__).resolve().parents[2]


def describe_error(error: BaseException) -> dict[str, object]:
    """Return log fields that say what failed and where.

    Returns:
        `exception`: the type's full name; `frames`: "file:line:function", outermost first, the
        innermost `MAX_FRAMES` of them; `causes`: the same of whatever led to it or is grouped in
        it, nearest first, when there is any.
    """
    described: dict[str, object] = {"exception": _type_name(error), "frames": _frames(error)}
    causes = [{"exception": _type_name(one), "frames": _frames(one)} for one in _causes(error)]
    if causes:
        described["causes"] = causes
    return described


def place_within(error: BaseException, package: str) -> str | None:
    """Return the innermost "file:line" of a package that an error came through; None if there is
    none.
    """
    places = [
        f"{_short(frame.f_code.co_filename)}:{line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__")).partition(".")[0] == package
    ]
    return places[-1] if places else None


def describe_exc_info(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Turn a record's `exc_info`, in any spelling that logging knows, into such fields."""
    given = event.pop("exc_info", None)
    if not given:
        return event
    if isinstance(given, tuple):
        given = given[1]
    elif not isinstance(given, BaseException):
        given = sys.exc_info()[1]
    if isinstance(given, BaseException):
        event.update(describe_error(given))
    return event


def _type_name(error: BaseException) -> str:
    kind = type(error)
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def _frames(error: BaseException) -> list[str]:
    walked = [
        f"{_short(frame.f_code.co_filename)}:{line}:{frame.f_code.co_qualname}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    return walked[-MAX_FRAMES:]


def _short(filename: str) -> str:
    """Name a file as its import path does, without where this machine keeps it."""
    _, found, inside = filename.rpartition("/site-packages/")
    if found:
        return inside
    path = Path(filename)
    return str(path.relative_to(_PROJECT)) if path.is_relative_to(_PROJECT) else path.name


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen = {id(error)}
    waiting = _nearest(error)
    while waiting and len(seen) <= MAX_CAUSES:
        cause = waiting.pop(0)
        if id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting.extend(_nearest(cause))


def _nearest(error: BaseException) -> list[BaseException]:
    nearest: list[BaseException] = []
    if error.__cause__ is not None:
        nearest.append(error.__cause__)
    elif error.__context__ is not None and not error.__suppress_context__:
        nearest.append(error.__context__)
    if isinstance(error, BaseExceptionGroup):
        nearest.extend(error.exceptions)
    return nearest
