"""Answers that do not come, come late, or cannot be passed on."""

from __future__ import annotations

import pytest

from adapters.wasmcloud2.relay import QUEUE_GROUP
from adapters.wasmcloud2.side import KEPT_SECONDS, MAX_PENDING, NO_RESPONDERS
from tests.support.settling import settle
from tests.unit.adapters.wasmcloud2.relay_rig import HOST, Rig, start_request


async def test_starts_beyond_the_bound_are_refused() -> None:
    rig = Rig(max_starts=1)
    await rig.start()
    rig.reads.store.gate.clear()
    rig.ask("workload.start", start_request({"a": "secret://db"}))
    await settle()
    rig.ask("workload.start", start_request({"a": "secret://db"}, workload_id="two"))

    assert "too many workloads" in rig.status["message"]
    assert rig.status["workloadId"] == "two"
    await rig.relay.stop(0)


async def test_without_the_hosts_nats_the_operator_hears_so_at_once(rig: Rig) -> None:
    rig.hosts.is_connected = False
    rig.ask("workload.status", {"workloadId": "one"})

    assert rig.answers == [(b"", NO_RESPONDERS)]
    assert rig.hosts.sent == []


async def test_the_servers_word_that_none_listens_is_passed_on(rig: Rig) -> None:
    rig.hosts.answer = None
    rig.ask("workload.status", {"workloadId": "one"})
    rig.hosts.deliver(rig.hosts.sent[0][1], b"", headers=NO_RESPONDERS)

    assert rig.answers == [(b"", NO_RESPONDERS)]


async def test_an_answer_goes_once_and_not_after_its_time(rig: Rig) -> None:
    rig.hosts.answer = None
    rig.ask("workload.status", {"workloadId": "one"})
    rig.ask("workload.status", {"workloadId": "one"})
    first, second = (reply_to for _, reply_to, _, _ in rig.hosts.sent)
    assert first != second
    rig.hosts.deliver(first, b"{}")
    rig.hosts.deliver(first, b"{}")
    rig.reads.clock.advance(KEPT_SECONDS + 1)
    rig.ask("workload.status", {"workloadId": "two"})
    rig.hosts.deliver(second, b"{}")

    assert rig.answers == [(b"{}", b"")]


async def test_requests_without_an_answer_are_bounded(rig: Rig) -> None:
    rig.hosts.answer = None
    for _ in range(MAX_PENDING):
        rig.ask("workload.status", b"{}")
    rig.ask("workload.status", b"{}")

    assert rig.answers == [(b"", NO_RESPONDERS)]


@pytest.mark.parametrize("reply_to", ["runtime.host.host-1.workload.stop", "$JS.API.x"])
async def test_no_answer_goes_where_it_would_be_a_request(rig: Rig, reply_to: str) -> None:
    rig.operator.deliver(f"runtime.host.{HOST}.workload.status", b'{"workloadId": "x"}', reply_to)

    assert rig.operator.sent == []


async def test_stopping_answers_what_is_under_way() -> None:
    rig = Rig()
    await rig.start()
    rig.reads.store.gate.clear()
    rig.ask("workload.start", start_request({"db": "secret://db"}))
    await settle()
    await rig.relay.stop(0)

    assert "this relay is stopping" in rig.status["message"]
    assert ("runtime.host.>", QUEUE_GROUP) not in rig.operator.subjects


async def test_a_request_that_cannot_be_published_is_answered(rig: Rig) -> None:
    def fail(*_: object) -> bytes:
        raise OSError("gone")

    rig.hosts.answer = fail
    rig.ask("workload.status", {"workloadId": "one"})
    rig.ask("workload.start", start_request())

    assert rig.answers == [(b"", NO_RESPONDERS)] * 2
