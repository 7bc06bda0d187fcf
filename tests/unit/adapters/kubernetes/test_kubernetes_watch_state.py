"""What a watch learns from recorded and made-up events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from adapters.kubernetes.secret_object import State
from adapters.kubernetes.watch_events import (
    MAX_LINE_BYTES,
    Event,
    Kind,
    WatchError,
    WatchExpiredError,
    read_event,
    read_lines,
)
from adapters.kubernetes.watch_state import MAX_READS, WatchState
from tests.support.kubernetes_server import recorded_lines

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def events(name: str) -> list[Event]:
    return [read_event(json.dumps(line).encode()) for line in recorded_lines(name)]


def added(name: str, version: int, uid: str = "u", kind: Kind = Kind.ADDED) -> Event:
    return Event(kind, str(version), name, State(uid, str(version)))


def complete(*secrets: Event, version: int = 100) -> WatchState:
    """A watch for which all that exists was listed."""
    state = WatchState()
    assert not state.complete(states(*secrets), str(version))
    return state


def states(*secrets: Event) -> dict[str, State]:
    return {event.name: event.state for event in secrets if event.state is not None}


def test_a_recorded_metadata_watch_tells_of_changes_once_it_is_complete() -> None:
    state = complete()
    changed = [name for event in events("watch_metadata_only") for name in state.take(event)]

    assert set(changed) == {"w1"}
    assert state.version is not None


def test_a_recorded_watch_that_begins_too_early_expires() -> None:
    for name in ("watch_gone", "watch_before_restart_rv"):
        with pytest.raises(WatchExpiredError):
            events(name)


def test_what_existed_at_the_start_is_no_change() -> None:
    state = complete(added("a", 1), added("b", 2))

    assert (state.version, state.secrets) == ("100", 2)


def test_a_write_a_new_secret_and_a_deletion_are_changes() -> None:
    state = complete(added("a", 1))

    assert set(state.take(added("a", 101, kind=Kind.MODIFIED))) == {"a"}
    assert set(state.take(added("b", 102))) == {"b"}
    assert set(state.take(added("a", 103, kind=Kind.DELETED))) == {"a"}
    assert (state.version, state.secrets) == ("103", 1)


def test_an_event_that_is_told_twice_is_one_change() -> None:
    state = complete(added("a", 1))
    state.take(added("a", 101, kind=Kind.MODIFIED))

    assert not state.take(added("a", 101, kind=Kind.MODIFIED))


def test_a_bookmark_moves_the_place_to_go_on_from() -> None:
    state = complete()

    assert not state.take(Event(Kind.BOOKMARK, "150"))
    assert state.version == "150"


def test_after_an_expiry_only_what_differs_is_a_change() -> None:
    state = complete(added("same", 1), added("written", 2), added("deleted", 3), added("made", 4))
    found = states(
        added("same", 1),
        added("written", 200),
        added("new", 201),
        added("made", 202, uid="another"),
    )

    changes = state.complete(found, "300")

    assert set(changes) == {"written", "deleted", "new", "made"}


def test_what_was_read_before_the_watch_was_complete_is_compared() -> None:
    state = WatchState()
    state.note_read("same", State("u", "1"))
    state.note_read("written", State("u", "2"))
    state.note_read("absent", None)
    state.note_read("still-absent", None)
    found = states(added("same", 1), added("written", 9), added("absent", 10), added("unread", 11))

    changes = state.complete(found, "100")

    assert set(changes) == {"written", "absent"}


def test_reads_are_kept_within_bounds() -> None:
    state = WatchState()
    for number in range(MAX_READS + 10):
        state.note_read(f"s{number}", None)

    changes = state.complete({f"s{n}": State("u", "1") for n in range(MAX_READS + 10)}, "5")

    assert len(changes) == MAX_READS
    assert "s0" not in changes


def test_two_processes_call_one_change_the_same() -> None:
    event = added("a", 101, kind=Kind.MODIFIED)

    assert complete(added("a", 1)).take(event) == complete(added("a", 1)).take(event)
    assert complete(added("a", 1)).take(event) != complete().take(added("a", 102))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"type":"ADDED"}',
        b'{"type":"NEW","object":{"metadata":{}}}',
        b'{"type":"ADDED","object":{"metadata":{"name":"a","uid":"u"}}}',
        b'{"type":"ADDED","object":{"metadata":{"name":"A","uid":"u","resourceVersion":"1"}}}',
        b'{"type":"BOOKMARK","object":{"metadata":{}}}',
        b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":""}}}',
    ],
)
def test_a_line_that_is_no_event_ends_the_watch(line: bytes) -> None:
    with pytest.raises(WatchError) as failure:
        read_event(line)

    assert not isinstance(failure.value, WatchExpiredError)


@pytest.mark.parametrize(
    ("status", "expired"),
    [
        ({"code": 410, "reason": "Expired"}, True),
        ({"code": 410}, True),
        ({"code": 0, "reason": "Gone"}, True),
        ({"code": 500, "reason": "InternalError"}, False),
        ({}, False),
        ({"code": "410"}, False),
    ],
)
def test_an_error_event_is_read_by_code_and_reason(status: dict[str, Any], expired: bool) -> None:
    with pytest.raises(WatchError) as failure:
        read_event(json.dumps({"type": "ERROR", "object": status}).encode())

    assert isinstance(failure.value, WatchExpiredError) is expired


async def lines(*chunks: bytes) -> list[bytes]:
    async def pieces() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return [line async for line in read_lines(pieces())]


async def test_lines_are_cut_wherever_the_pieces_end() -> None:
    assert await lines(b'{"a"', b":1}\n{", b'"b":2}\n\n{"c"', b":3}") == [
        b'{"a":1}',
        b'{"b":2}',
        b'{"c":3}',
    ]
    assert await lines() == []


async def test_an_endless_line_is_refused() -> None:
    with pytest.raises(WatchError):
        await lines(b"x" * (MAX_LINE_BYTES + 1))


def test_a_deletion_has_one_name_whether_it_is_seen_or_found_by_comparison() -> None:
    seeing, comparing = (complete(added("db", 7, uid="one")) for _ in range(2))

    seen = seeing.take(added("db", 120, uid="one", kind=Kind.DELETED))
    found = comparing.complete({}, "130")

    assert seen == found == {"db": "gone/one/7"}


def test_each_deletion_of_a_secret_that_was_made_again_has_a_name_of_its_own() -> None:
    state, marks = WatchState(), []
    for uid in ("one", "two"):
        state.complete({"db": State(uid, "7")}, "100")
        marks.append(state.complete({}, "110")["db"])

    assert marks == ["gone/one/7", "gone/two/7"]
