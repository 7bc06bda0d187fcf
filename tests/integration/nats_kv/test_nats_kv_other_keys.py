"""A bucket in which some values, or all, were sealed with another key."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.nats_kv.operating import OtherKeyError
from ports.store_check import StoreMisconfiguredError

if TYPE_CHECKING:
    from tests.integration.nats_kv.kv_under_test import Kv


def with_other_key(kv: Kv) -> Kv:
    return replace(kv, xkey=SodiumXKeyPair.generate())


async def put_with_other_key(kv: Kv, count: int) -> None:
    writer = with_other_key(kv).writer
    for number in range(count):
        await writer.put(f"other/KEY_{number}", "value", any_key=True)


async def test_a_start_without_any_value_that_opens_is_refused_with_their_number(kv: Kv) -> None:
    await put_with_other_key(kv, 3)

    with pytest.raises(StoreMisconfiguredError, match="none of the 3 looked at opens"):
        await kv.check.check()


@pytest.mark.parametrize("others", [1, 20, 40])
async def test_values_that_do_not_open_stop_no_start_while_an_older_one_does(
    kv: Kv, others: int
) -> None:
    await kv.writer.put("OLD", "value")
    await put_with_other_key(kv, others)

    check = kv.check
    with capture_logs() as logs:
        await check.check()
        await check.check()

    (warning,) = (log for log in logs if log["event"] == "nats_kv.values_unreadable")
    assert (warning["unreadable"], warning["looked_at"]) == (others, others + 1)
    assert (await kv.store.get("OLD")).value.reveal() == "value"


async def test_a_bucket_whose_values_all_open_gives_no_warning(kv: Kv) -> None:
    await kv.writer.put("KEY", "value")

    with capture_logs() as logs:
        await kv.check.check()

    assert [log["event"] for log in logs] == []


async def test_deleted_values_of_another_key_do_not_count(kv: Kv) -> None:
    await put_with_other_key(kv, 1)
    await kv.catalog.delete("other/KEY_0", keep_history=True)

    await kv.check.check()
    await kv.writer.put("KEY", "value")


@pytest.mark.parametrize("older", [1, 20])
async def test_a_writer_with_another_key_is_refused_and_stores_nothing(kv: Kv, older: int) -> None:
    for number in range(older):
        await kv.writer.put(f"KEY_{number}", "value")

    with pytest.raises(OtherKeyError, match="Nothing was stored"):
        await with_other_key(kv).writer.put("NEW", "value")

    assert "NEW" not in await kv.catalog.keys()


async def test_a_writer_whose_key_opens_an_older_value_may_write(kv: Kv) -> None:
    await kv.writer.put("OLD", "value")
    await put_with_other_key(kv, 30)

    await kv.writer.put("NEW", "value")

    assert (await kv.store.get("NEW")).value.reveal() == "value"
