"""Signed webhooks are taken within a window of time, and once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.infisical.webhook_signature import (
    OutsideWindowError,
    ReplayedError,
    TooManyWebhooksError,
    WebhookVerifier,
)
from tests.unit.adapters.infisical.infisical_webhooks import (
    NOW_MS,
    SECRET_KEY,
    body,
    header,
    timed_header,
)

if TYPE_CHECKING:
    from tests.fakes.clock import FakeClock


@pytest.mark.parametrize("seconds", [-300, -299.999, 0, 300])
def test_a_time_within_the_window_is_taken(verifier: WebhookVerifier, seconds: float) -> None:
    at = NOW_MS + int(seconds * 1000)
    raw = body(at=at)

    verifier.verify(header(raw, at), raw)


@pytest.mark.parametrize("sign", [header, timed_header])
@pytest.mark.parametrize("seconds", [-300.001, 300.001, -1e6, 1e9, -NOW_MS / 1000])
def test_a_time_outside_the_window_is_refused(
    verifier: WebhookVerifier, seconds: float, sign: object
) -> None:
    at = NOW_MS + int(seconds * 1000)
    raw = body(at=at)

    with pytest.raises(OutsideWindowError):
        verifier.verify(header(raw, at) if sign is header else timed_header(raw, at), raw)


@pytest.mark.parametrize("ahead", [-300, 0, 300])
def test_a_webhook_is_taken_once_for_as_long_as_it_is_not_too_old(
    verifier: WebhookVerifier, clock: FakeClock, ahead: int
) -> None:
    at = NOW_MS + ahead * 1000
    raw = body(at=at)
    verifier.verify(header(raw, at), raw)

    for _ in range(300 + ahead):
        with pytest.raises(ReplayedError):
            verifier.verify(header(raw, at), raw)
        clock.advance(1)
    with pytest.raises(ReplayedError):
        verifier.verify(header(raw, at), raw)
    clock.advance(0.5)
    with pytest.raises(OutsideWindowError):
        verifier.verify(header(raw, at), raw)


def test_what_was_refused_is_not_remembered(verifier: WebhookVerifier, clock: FakeClock) -> None:
    raw = body(at=NOW_MS + 301_000)
    with pytest.raises(OutsideWindowError):
        verifier.verify(header(raw, NOW_MS + 301_000), raw)
    clock.advance(1)

    verifier.verify(header(raw, NOW_MS + 301_000), raw)


def test_memory_is_bounded_and_being_full_lets_no_replay_in(clock: FakeClock) -> None:
    verifier = WebhookVerifier(SECRET_KEY, clock, max_remembered=3)
    taken = [body(secretPath=f"/{number}") for number in range(3)]
    for raw in taken:
        verifier.verify(header(raw), raw)

    with pytest.raises(TooManyWebhooksError):
        verifier.verify(header(body()), body())
    for raw in taken:
        with pytest.raises(ReplayedError):
            verifier.verify(header(raw), raw)

    clock.advance(602)
    at = NOW_MS + 602_000
    later = body(at=at)
    verifier.verify(header(later, at), later)
