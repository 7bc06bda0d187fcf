"""Ids are short, plain and never repeat."""

from __future__ import annotations

import re

from adapters.system.request_ids import CountingRequestIds


def test_ids_are_short_and_safe_in_any_text() -> None:
    assert re.fullmatch(r"[a-z2-7]{8}-[0-9a-f]{6}", CountingRequestIds().next())


def test_ids_of_one_process_differ() -> None:
    ids = CountingRequestIds()

    assert len({ids.next() for _ in range(10_000)}) == 10_000


def test_ids_of_two_processes_differ() -> None:
    assert CountingRequestIds().next() != CountingRequestIds().next()
