"""Lines leave whole and in order, and a slow reader never blocks the event loop."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import pytest

from adapters.telemetry import log_output
from adapters.telemetry.log_output import LogOutput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FULL = "x" * 300_000
"""More than any pipe takes at once."""


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as file, suppressed_close(reading):
        yield reading, file


@contextmanager
def suppressed_close(descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)


async def read_to(descriptor: int, end: str) -> str:
    """Read as a collector does, until the text ends so."""
    read = b""
    while not read.endswith(end.encode()):
        read += await asyncio.to_thread(os.read, descriptor, 65536)
    return read.decode()


async def all_written(output: LogOutput) -> None:
    while output.waiting_lines:  # noqa: ASYNC110  a thread ends this, which sets no event
        await asyncio.sleep(0)


def test_a_line_is_written_at_once_while_nothing_is_served(pipe: tuple[int, TextIO]) -> None:
    reading, file = pipe

    LogOutput(file).msg("line")

    assert os.read(reading, 100) == b"line\n"


def test_every_line_gets_its_last_touch() -> None:
    file = io.StringIO()

    LogOutput(file, lambda line: line + "!").msg("line")

    assert file.getvalue() == "line!\n"


async def test_the_lines_of_one_turn_are_in_the_file_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("a", encoding="utf-8") as file:
        output = LogOutput(file)
        async with output.off_the_loop():
            output.msg("one")
            output.msg("two")
            assert (path.read_text(), output.waiting_lines) == ("", 2)
            await asyncio.sleep(0)
            assert (path.read_text(), output.waiting_lines) == ("one\ntwo\n", 0)
            output.msg("last")
        output.msg("after")
    assert path.read_text() == "one\ntwo\nlast\nafter\n"


async def test_a_stream_without_a_descriptor_gets_its_lines_too() -> None:
    file = io.StringIO()
    output = LogOutput(file)

    async with output.off_the_loop():
        output.msg("one")
        await asyncio.sleep(0)
        assert file.getvalue() == "one\n"


async def test_a_reader_that_sleeps_holds_nobody_up_and_gets_every_line_in_order(
    pipe: tuple[int, TextIO],
) -> None:
    reading, file = pipe
    output = LogOutput(file)

    async with output.off_the_loop():
        output.msg(FULL)
        for number in range(1000):
            output.msg(str(number))
            await asyncio.sleep(0)
        assert output.waiting_lines == 1001
        read = await read_to(reading, "\n999\n")

    assert read.splitlines() == [FULL, *map(str, range(1000))]
    assert output.waiting_lines == output.waiting_characters == 0


async def test_what_another_thread_logs_arrives_as_well(pipe: tuple[int, TextIO]) -> None:
    reading, file = pipe
    output = LogOutput(file)

    async with output.off_the_loop():
        thread = threading.Thread(target=output.msg, args=("from elsewhere",))
        thread.start()
        assert await read_to(reading, "\n") == "from elsewhere\n"
        thread.join()


async def test_a_reader_that_never_wakes_holds_up_neither_the_end_nor_what_is_logged_after_it(
    pipe: tuple[int, TextIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_output, "CLOSE_SECONDS", 0.01)
    reading, file = pipe
    output = LogOutput(file)

    async with output.off_the_loop():
        output.msg(FULL)
        await asyncio.sleep(0)
    output.msg("this line is dropped, and the caller does not wait")

    # Lets the thread go.
    await read_to(reading, "x\n")


async def test_lines_beyond_the_bound_are_dropped_and_counted(
    pipe: tuple[int, TextIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_output, "MAX_WAITING", len(FULL))
    dropped: list[tuple[str, dict[str, object]]] = []
    monkeypatch.setattr(log_output, "_log", Recorder(dropped))
    reading, file = pipe
    output = LogOutput(file)

    async with output.off_the_loop():
        output.msg(FULL)
        output.msg("dropped")
        output.msg("dropped too")
        await read_to(reading, "x\n")
        await all_written(output)
        output.msg("heard")
        assert await read_to(reading, "\n") == "heard\n"

    assert dropped == [("log.lines_dropped", {"count": 2})]


async def test_a_pipe_that_does_not_block_loses_nothing(pipe: tuple[int, TextIO]) -> None:
    reading, file = pipe
    os.set_blocking(file.fileno(), False)
    output = LogOutput(file)

    async with output.off_the_loop():
        output.msg(FULL)
        assert await read_to(reading, "\n") == FULL + "\n"


async def test_a_reader_that_is_gone_fails_nobody() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as file:
        output = LogOutput(file)
        output.msg("before")
        async with output.off_the_loop():
            output.msg("inside")
        output.msg("after")


class Recorder:
    """Keeps warnings."""

    def __init__(self, kept: list[tuple[str, dict[str, object]]]) -> None:
        self._kept = kept

    def warning(self, event: str, **fields: object) -> None:
        self._kept.append((event, fields))
