"""What is not the API: a wrong address at first, an outage once the API has answered."""

from __future__ import annotations

import pytest

from adapters.upstream.engine import Failure
from adapters.upstream.message import UpstreamResponse
from domain.model.errors import StoreUnavailable, UpstreamError
from tests.unit.adapters.upstream.http_rig import PAGE, HttpRig, answer, broken


@pytest.mark.parametrize(
    "foreign",
    [PAGE, answer(302), UpstreamResponse(404, {"content-type": "text/plain"}, b"no")],
)
async def test_what_is_not_the_api_means_a_wrong_address_at_first_and_later_an_outage(
    foreign: UpstreamResponse,
) -> None:
    rig = HttpRig(foreign)
    with pytest.raises(UpstreamError) as first:
        await rig.get()
    assert type(first.value) is UpstreamError
    assert (first.value.reason, rig.attempts) == ("store_wrong_address", 1)
    assert "STORE_URL" in first.value.advice

    await rig.get()
    rig.script = [foreign] * 9
    with pytest.raises(StoreUnavailable) as later:
        await rig.get()

    assert (later.value.reason, rig.attempts) == ("store_not_answering", 7)


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (Failure.UNTRUSTED, StoreUnavailable),
        (Failure.UNREADABLE, StoreUnavailable),
        (Failure.TOO_LARGE, UpstreamError),
    ],
)
async def test_what_shows_another_certificate_later_is_an_outage_too(
    failure: Failure, kind: type[UpstreamError]
) -> None:
    rig = HttpRig(answer(), *[broken(failure)] * 9)
    await rig.get()

    with pytest.raises(UpstreamError) as later:
        await rig.get()

    assert type(later.value) is kind
    assert later.value.reason == f"store_{failure}"
    assert rig.attempts == (6 if kind is StoreUnavailable else 2)


async def test_the_outage_ends_with_the_apis_next_answer() -> None:
    rig = HttpRig(answer(), PAGE, PAGE)
    await rig.get()

    assert (await rig.get()).status == 200
