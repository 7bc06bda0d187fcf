"""What the relay fills in, refuses and passes on."""

from __future__ import annotations

import json

import pytest

from adapters.wasmcloud2.relay import QUEUE_GROUP
from domain.model.access_rules import AccessRules
from domain.model.errors import StoreUnavailable
from tests.support.settling import settle
from tests.unit.adapters.wasmcloud2.relay_rig import CANARY, HOST, Rig, start_request


async def test_every_replica_joins_one_queue_group_on_both_sides(rig: Rig) -> None:
    assert ("runtime.host.>", QUEUE_GROUP) in rig.operator.subjects
    assert ("runtime.operator.>", QUEUE_GROUP) in rig.hosts.subjects


async def test_references_are_filled_in_and_the_hosts_answer_comes_back(rig: Rig) -> None:
    rig.ask("workload.start", start_request({"db": "secret://db"}, {"T": "secret://token"}))
    await settle()

    (started,) = rig.started
    world = started["workload"]["witWorld"]
    assert world["hostInterfaces"][0]["config"] == {"db": CANARY}
    assert world["components"][0]["localResources"]["environment"] == {"T": "t0k3n"}
    assert (rig.status["workloadId"], rig.status["workloadState"]) == (
        "one",
        "WORKLOAD_STATE_RUNNING",
    )
    assert len(rig.relay.held) == 1


async def test_one_secret_in_two_places_is_read_once(rig: Rig) -> None:
    rig.ask("workload.start", start_request({"a": "secret://db", "b": "secret://db"}))
    await settle()

    assert len(rig.reads.audit.events) == 1


@pytest.mark.parametrize(
    "body",
    [
        start_request({"db": "literal"}),
        start_request(),
        {"workloadId": "one", "workload": {"namespace": "shop", "name": "cart", "new": {"a": 1}}},
    ],
)
async def test_a_start_without_references_passes_byte_for_byte(rig: Rig, body: object) -> None:
    data = json.dumps(body, indent=3).encode()
    rig.ask("workload.start", data, headers=b"NATS/1.0\r\nX: y\r\n\r\n")

    ((subject, reply_to, sent, headers),) = rig.hosts.sent
    assert (subject, sent) == (f"runtime.host.{HOST}.workload.start", data)
    assert headers == b"NATS/1.0\r\nX: y\r\n\r\n"
    assert reply_to.startswith("_INBOX.")
    assert len(rig.relay.held) == 0


@pytest.mark.parametrize("what", ["workload.status", "workload.stop", "heartbeat", "new.thing"])
async def test_any_other_request_passes_unchanged(rig: Rig, what: str) -> None:
    answer = b'{\n  "workloadStatus": {"workloadId": "x"}\n}'
    rig.hosts.answer = lambda _subject, _body: answer
    rig.ask(what, b'{"workloadId":  "x"}')

    assert rig.hosts.sent[0][2] == b'{"workloadId":  "x"}'
    assert rig.answers == [(answer, b"")]


async def test_a_refused_secret_becomes_the_workloads_status(rig: Rig) -> None:
    rig.ask("workload.start", start_request({"a": "secret://db", "b": "secret://other?field=x"}))
    await settle()

    assert rig.hosts.sent == []
    assert rig.status["workloadId"] == "one"
    assert rig.status["workloadState"] == "WORKLOAD_STATE_ERROR"
    message = rig.status["message"]
    assert message.startswith("wasmcloud-secrets: secrets were refused. ")
    assert "witWorld.hostInterfaces[0].config.b: Unauthorized: No rule lets" in message
    assert "config.a" not in message
    assert CANARY not in message


async def test_a_store_that_is_down_is_said_to_be(rig: Rig) -> None:
    rig.reads.store.failure = StoreUnavailable("The store is down; check it.")
    rig.ask("workload.start", start_request({"a": "secret://db"}))
    await settle()

    assert "UpstreamError: The store is down; check it. (request " in rig.status["message"]


@pytest.mark.parametrize("value", [b"\xff\x00", b"text", "nul\0byte", "half \ud800"])
async def test_what_version_2_cannot_carry_is_refused(rig: Rig, value: str | bytes) -> None:
    rig.reads.store.put("/db", value)
    rig.ask("workload.start", start_request({"a": "secret://db"}))
    await settle()

    assert "binary" in rig.status["message"]
    assert rig.hosts.sent == []


async def test_a_misplaced_reference_is_refused_at_once(rig: Rig) -> None:
    request = start_request()
    request["workload"]["annotations"] = {"a": "secret://db"}
    rig.ask("workload.start", request)

    assert "annotations.a, where none is filled in" in rig.status["message"]
    assert rig.reads.audit.events == []


async def test_a_reference_in_another_request_is_refused(rig: Rig) -> None:
    rig.ask("workload.update", {"workloadId": "one", "config": {"a": "secret://db"}})

    assert rig.status["workloadId"] == "one"
    assert rig.hosts.sent == []


async def test_a_filled_request_beyond_the_hosts_payload_is_refused(rig: Rig) -> None:
    rig.hosts.max_payload = 600
    rig.reads.store.put("/db", CANARY * 100)
    rig.ask("workload.start", start_request({"a": "secret://db"}))
    await settle()

    assert "the hosts' NATS carries 600" in rig.status["message"]
    assert rig.hosts.sent == []


async def test_heartbeats_pass_unchanged(rig: Rig) -> None:
    rig.hosts.deliver("runtime.operator.heartbeat.host-1", b'{"id":"host-1"}')

    assert rig.operator.sent == [("runtime.operator.heartbeat.host-1", "", b'{"id":"host-1"}', b"")]


async def test_a_hosts_own_request_is_answered_by_the_operator(rig: Rig) -> None:
    rig.operator.answer = lambda _subject, _body: b"ok"
    rig.hosts.deliver("runtime.operator.ask", b"q", "_INBOX.host.1")

    assert rig.hosts.sent == [("_INBOX.host.1", "", b"ok", b"")]


@pytest.mark.parametrize("state", ["RUNNING", "ERROR"])
async def test_a_value_that_a_host_repeats_does_not_come_back(rig: Rig, state: str) -> None:
    rig.states["one"] = state
    rig.messages[state] = f"bad config db={CANARY}"
    rig.ask("workload.start", start_request({"db": "secret://db"}))
    await settle()

    assert rig.status["message"] == "bad config db=[redacted]"


async def test_a_later_status_is_cleared_too(rig: Rig) -> None:
    rig.ask("workload.start", start_request({"db": "secret://db"}))
    await settle()
    rig.messages["RUNNING"] = f"config db={CANARY}"
    rig.ask("workload.status", {"workloadId": "one"})

    assert CANARY.encode() not in rig.answers[-1][0]


@pytest.mark.parametrize("ending", ["stop", "gone", "heard stop", "heard other start"])
async def test_what_does_not_run_any_more_is_forgotten(rig: Rig, ending: str) -> None:
    rig.ask("workload.start", start_request({"db": "secret://db"}))
    await settle()
    match ending:
        case "stop":
            rig.ask("workload.stop", {"workloadId": "one"})
        case "gone":
            rig.states.clear()
            rig.ask("workload.status", {"workloadId": "one"})
        case "heard stop":
            rig.operator.deliver(f"runtime.host.{HOST}.workload.stop", b'{"workloadId":"one"}')
        case _:
            other = json.dumps(start_request({"db": "plain"})).encode()
            rig.operator.deliver(f"runtime.host.{HOST}.workload.start", other)

    assert len(rig.relay.held) == 0


async def test_the_same_start_again_forgets_nothing(rig: Rig) -> None:
    rig.ask("workload.start", start_request({"db": "secret://db"}))
    await settle()
    rig.states["one"] = "ERROR"  # as the host says that the id exists already
    rig.ask("workload.start", start_request({"db": "secret://db"}))
    await settle()

    assert len(rig.relay.held) == 1


async def test_no_rule_for_workloads_lets_nothing_out() -> None:
    rig = Rig(AccessRules(frozenset(), ()))
    rig.reads.store.put("/db", CANARY)
    await rig.start()
    rig.ask("workload.start", start_request({"db": "secret://db"}))
    await settle()

    assert rig.hosts.sent == []
    assert rig.reads.store.queries == []


async def test_no_value_is_in_the_repr_of_what_is_held(rig: Rig) -> None:
    rig.ask("workload.start", start_request({"db": "secret://db"}))
    await settle()
    (given,) = rig.relay.held.on(HOST)

    assert CANARY not in repr(given) + repr(given.start) + repr(rig.relay.held)
