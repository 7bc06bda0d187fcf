"""Why a call fails that was sent in vain and may not be sent again."""

from __future__ import annotations

import pytest

from adapters.upstream.failures import not_resent
from adapters.upstream.message import UpstreamResponse
from domain.model.errors import (
    CallWithheld,
    RateLimited,
    StoreBusy,
    StoreUnavailable,
    UpstreamError,
)

WITHHELD = CallWithheld("later", reason="store_rate_limited", retry_after=7.0)


def test_a_call_that_was_never_sent_fails_by_its_refusal() -> None:
    assert not_resent(None, WITHHELD) is WITHHELD


def test_a_call_that_the_store_has_limited_was_sent_and_says_when_the_refusal_ends() -> None:
    error = not_resent(RateLimited("soon", retry_after=1.0), WITHHELD)

    assert type(error) is RateLimited
    assert (error.advice, error.reason, error.retry_after) == ("later", "store_rate_limited", 7.0)


@pytest.mark.parametrize("refusal", [WITHHELD, StoreBusy("busy")], ids=["limited", "busy"])
@pytest.mark.parametrize(
    "former", [StoreUnavailable("down"), UpstreamResponse(502, {}, b"")], ids=["error", "response"]
)
def test_a_call_that_failed_fails_by_that(
    former: UpstreamResponse | UpstreamError, refusal: UpstreamError
) -> None:
    assert not_resent(former, refusal) is former


def test_a_refusal_that_waiting_does_not_mend_comes_first() -> None:
    broken = UpstreamError("mend the settings")

    assert not_resent(StoreUnavailable("down"), broken) is broken
