"""The latest requests: bounded in number and length, without what looks like a credential."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.console.feed import MAX_ROWS, RequestFeed
from adapters.telemetry.audit_record import MAX_TEXT
from domain.model.workload import Workload
from tests.fakes.audit import FakeAuditTrail
from tests.unit.adapters.console.stage import event

JWT = "eyJhbGciOiJFZDI1NTE5In0.eyJjYW5hcnkiOjF9.c2ln"


@pytest.fixture
def audit() -> FakeAuditTrail:
    return FakeAuditTrail()


@pytest.fixture
def feed(audit: FakeAuditTrail) -> RequestFeed:
    return RequestFeed(audit)


def test_it_passes_everything_on(feed: RequestFeed, audit: FakeAuditTrail) -> None:
    sent = event()
    feed.record(sent)
    audit.full = True

    assert audit.events == [sent]
    assert not feed.accepts()


def test_only_the_last_are_kept_and_the_others_counted(feed: RequestFeed) -> None:
    for number in range(MAX_ROWS + 5):
        feed.record(event(number=number))

    news = feed.latest()

    assert len(news.rows) == MAX_ROWS
    assert news.missed == 5
    assert news.rows[-1].request_id == f"request-{MAX_ROWS + 4}"


def test_a_reader_goes_on_where_it_was(feed: RequestFeed) -> None:
    feed.record(event(number=1))
    place = feed.latest().place
    feed.record(event(number=2))

    news = feed.after(place)

    assert [row.request_id for row in news.rows] == ["request-2"]
    assert news.missed == 0
    assert feed.after(news.place) == ((), 0, news.place)


def test_a_reader_that_was_away_for_long_is_told_what_it_missed(feed: RequestFeed) -> None:
    feed.record(event())
    place = feed.latest().place
    for number in range(MAX_ROWS + 3):
        feed.record(event(number=number))

    assert feed.after(place).missed == 3


@pytest.mark.parametrize(
    "place", ["", "x", "-1", "other-5", "-", f"other-{'9' * 100}", "\u0663", "a-\u0663"]
)
def test_an_unknown_place_begins_with_all_that_is_kept(feed: RequestFeed, place: str) -> None:
    feed.record(event())

    assert len(feed.after(place).rows) == 1


def test_a_number_too_long_to_read_is_an_unknown_place(feed: RequestFeed) -> None:
    feed.record(event())
    run = feed.latest().place.partition("-")[0]

    assert len(feed.after(f"{run}-{'9' * 5000}").rows) == 1


def test_texts_of_peers_are_cut_and_credentials_left_out(feed: RequestFeed) -> None:
    feed.record(event("k" * 10_000, name=f"shop {JWT}"))

    (row,) = feed.latest().rows

    assert len(row.key) == MAX_TEXT + 1
    assert row.entity == "shop [redacted]"


def test_a_request_that_could_not_be_read_has_a_row(feed: RequestFeed) -> None:
    sent = event(reason="decryption_failed")
    sent.caller = sent.key = None
    feed.record(sent)

    (row,) = feed.latest().rows

    assert (row.key, row.entity, row.application) == ("", "", "")
    assert row.reason == "decryption_failed"


def test_a_workload_is_named_as_the_operator_names_it(feed: RequestFeed) -> None:
    sent = event()
    sent.caller = Workload("prod", "payments", "checkout")
    feed.record(sent)

    (row,) = feed.latest().rows

    assert (row.entity, row.application) == ("payments/checkout in prod", "")


def test_the_time_that_it_took_is_in_milliseconds(feed: RequestFeed) -> None:
    feed.record(event())

    assert feed.latest().rows[0].milliseconds == 2.5


def test_an_operator_is_told_more_than_a_caller_that_is_refused(feed: RequestFeed) -> None:
    told = "No rule lets this caller have this secret."
    for reason in ("field_not_granted", "secret_not_found", "of_a_plug_in"):
        feed.record(replace(event(reason=reason), advice=told))

    field, missing, other = (row.advice for row in feed.latest().rows)

    assert field.startswith("The field is not listed")
    # Each store has words of its own for it; the reason links to them all.
    assert missing == ""
    assert other == told


def test_other_errors_are_shown_as_they_were_told(feed: RequestFeed) -> None:
    told = replace(event(reason="timed_out"), error="UpstreamError", advice="Ask again.")

    feed.record(told)

    assert feed.latest().rows[0].advice == "Ask again."
