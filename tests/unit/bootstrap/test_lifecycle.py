"""From start to stop on fakes: the order of things, and every way not to start."""

from __future__ import annotations

import asyncio
import io
import json
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from dependency_injector import providers
from typing_extensions import override

from adapters.access_policy.file import POLL_SECONDS, AccessPolicyFile
from adapters.admin_http.address import AdminHttpError
from adapters.admin_http.readiness import Finding, Readiness, ReadinessCheck
from adapters.audit.sink import AuditSinkError
from adapters.crypto.nkeys_text import KeyKind, encode_public
from adapters.crypto.token_signer import SigningKey
from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.telemetry.log_setup import configure_logging
from bootstrap.containers import Container
from bootstrap.service_failure import ServiceFailedError, ServiceMisconfiguredError
from bootstrap.settings import SettingsError
from domain.model.errors import UpstreamError
from domain.model.reference import SecretQuery, SecretReference
from domain.model.transport import Reply
from domain.use_cases.key_ring import KeyRing
from ports.store_check import StoreMisconfiguredError, StoreUnreachableError
from ports.store_plugin import StoreParts
from ports.transport_plugin import TransportFailedError, TransportParts
from tests.contracts.secret_store import CALLER
from tests.fakes.audit_sink import FakeAuditSink
from tests.fakes.clock import FakeClock
from tests.fakes.secret_store import FakeSecretStore
from tests.fakes.store_check import FakeStoreCheck
from tests.fakes.transport import FakeChannel, FakeHandler, FakeTransport
from tests.support.environments import configuration, infisical_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from bootstrap.lifecycle import Service
    from ports.transport import RequestHandler

UNREACHABLE = StoreUnreachableError("The store is away; check it.")
MISCONFIGURED = StoreMisconfiguredError("The secret is wrong; check it.")


class FakeConnection:
    """A connection that opens, fails or takes forever, as a test says."""

    def __init__(self, events: list[str]) -> None:
        self.is_closed = False
        self.failure: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self._events = events

    async def open(self) -> None:
        self._events.append("connection opened")
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure

    async def close(self) -> None:
        self._events.append("connection closed")

    async def watch(self, clock: FakeClock) -> None:
        """End as a transport does that is lost for good."""
        while not self.is_closed:
            await clock.sleep(1)
        raise TransportFailedError("The connection is closed for good.")


class RecordingTransport(FakeTransport):
    """Notes when it starts and stops."""

    def __init__(self, clock: FakeClock, events: list[str]) -> None:
        super().__init__(clock)
        self._events = events

    @override
    async def start(self, handler: RequestHandler) -> None:
        self._events.append("transport started")
        await super().start(handler)

    @override
    async def stop(self, grace_seconds: float) -> None:
        self._events.append(f"transport stopped within {grace_seconds:g}")
        await super().stop(grace_seconds)


class FakeListener:
    """An admin HTTP that starts and ends, or does not, as a test says."""

    def __init__(self, events: list[str]) -> None:
        self.failure: Exception | None = None
        self._events = events

    async def start(self) -> None:
        self._events.append("admin started")
        if self.failure is not None:
            raise self.failure

    async def aclose(self) -> None:
        self._events.append("admin closed")


class Audits:
    """An audit trail of one sink."""

    def __init__(self, trail: FakeAuditSink) -> None:
        self.trail = trail
        self.reopen = trail.reopen


class World:
    """Everything around one service."""

    def __init__(self, *checks: StoreMisconfiguredError | StoreUnreachableError | None) -> None:
        self.events: list[str] = []
        self.log = io.StringIO()
        configure_logging("debug", "json", self.log)
        self.clock = FakeClock()
        self.connection = FakeConnection(self.events)
        self.transport = RecordingTransport(self.clock, self.events)
        self.others = FakeTransport(self.clock)
        self.check = FakeStoreCheck(checks or (None,))
        self.keys = KeyRing(SodiumXKeyPair.generate(), (SodiumXKeyPair.generate(),))
        self.stop, self.reload = asyncio.Event(), asyncio.Event()
        self.audit = FakeAuditSink(self.events)
        self.listener = FakeListener(self.events)
        self.store = FakeSecretStore()
        self.variables: dict[str, Any] = infisical_environment()
        self.built: Service | None = None
        self.store_ran_after = ""

    def service(self) -> Service:
        """Build the service with all that the world brings; once."""
        if self.built is not None:
            return self.built
        container = Container(configuration=configuration(**self.variables), keys=self.keys)
        container.clock.override(providers.Object(self.clock))
        container.transport.override(providers.Object(self.transport_parts()))
        container.store.override(providers.Object(self.store_parts()))
        container.audits.override(providers.Object(Audits(self.audit)))
        service: Service = container.service()
        service.admin._listener = self.listener  # type: ignore[assignment]  # a fake of it
        self.built = service
        return service

    def transport_parts(self) -> TransportParts:
        return TransportParts(
            self.transport,
            FakeChannel(self.others),
            open=self.connection.open,
            close=self.connection.close,
            run=lambda: self.connection.watch(self.clock),
            announced={"subjects": "a.subject.>"},
            address_of=lambda operation: f"a.subject.{operation}",
        )

    def store_parts(self) -> StoreParts:
        return StoreParts(
            self.store,
            self.check,
            run=self._run_store,
            close=self._close_store,
            reload=lambda: self.events.append("store reloaded"),
        )

    async def _run_store(self) -> None:
        self.store_ran_after = self.events[-1]
        await asyncio.Event().wait()

    async def _close_store(self) -> None:
        self.events.append("store closed")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        """Run the service; leaving stops it."""
        task = asyncio.create_task(self.service().run(self.stop, self.reload))
        yield task
        self.stop.set()
        await asyncio.wait({task})

    async def until(self, holds: Callable[[], bool], seconds_a_turn: float = 0) -> None:
        """Let the loop turn, and time pass, until something is so."""
        for _ in range(1000):
            if holds():
                return
            self.clock.advance(seconds_a_turn)
            await asyncio.sleep(0)
        raise AssertionError("it never came to that")

    def logged(self, event: str) -> list[dict[str, Any]]:
        records = map(json.loads, self.log.getvalue().splitlines())
        return [record for record in records if record["event"] == event]


async def test_it_opens_in_order_and_closes_in_reverse() -> None:
    world = World()

    async with world.running() as task:
        await world.until(lambda: bool(world.logged("service.ready")))
    task.result()

    assert world.events == [
        "admin started",
        "connection opened",
        "audit started",
        "transport started",
        "transport stopped within 10",
        "audit closed",
        "connection closed",
        "store closed",
        "admin closed",
    ]
    assert world.store_ran_after != "admin started"
    assert world.logged("service.stopped")


async def test_calls_that_the_cache_began_end_before_the_store_is_closed() -> None:
    world = World()
    service = world.service()
    store, pipeline = world.store, service.pipeline
    store.gate.clear()
    location = store.locate(SecretReference("KEY"))
    deadline = world.clock.monotonic() + 60
    waiting = asyncio.create_task(
        pipeline.cache.fetch(SecretQuery(location, None, CALLER, deadline))
    )
    await store.asked.wait()

    closing = asyncio.create_task(pipeline.aclose())

    with pytest.raises(UpstreamError) as caught:
        await waiting
    await closing
    assert caught.value.reason == "cache_closed"
    assert world.events == ["store closed"]


async def test_ready_says_the_public_facts() -> None:
    world = World()

    async with world.running():
        await world.until(lambda: bool(world.logged("service.ready")))

    (record,) = world.logged("service.ready")
    assert (record["transport"], record["subjects"]) == ("nats", "a.subject.>")
    assert record["server_xkey"] == world.keys.current.public
    assert (record["retired_xkeys"], record["rules"], record["issuers"]) == (1, "none", 0)
    assert record["authorization_mode"] == "enforce"
    assert record["store"] == "infisical"


async def test_without_trusted_issuers_a_warning_says_what_that_means() -> None:
    world = World()

    async with world.running():
        await world.until(lambda: bool(world.logged("service.ready")))

    (record,) = world.logged("access.any_issuer")
    assert record["level"] == "warning"
    assert "TRUSTED_ISSUERS" in record["advice"]


async def test_an_audit_trail_that_cannot_be_kept_ends_it_before_it_takes_requests() -> None:
    world = World()
    world.audit.failure = AuditSinkError("Make room for the audit trail.")

    with pytest.raises(ServiceFailedError, match="Make room for the audit trail"):
        await world.service().run(world.stop, world.reload)

    assert world.events == [
        "admin started",
        "connection opened",
        "audit started",
        "audit closed",
        "connection closed",
        "store closed",
        "admin closed",
    ]


TEAM = encode_public(KeyKind.ACCOUNT, b"t" * 32)
NO_GRANTS = f"version: 1\nissuers: {{team: {TEAM}}}\ngrants: []\n"
ONE_GRANT = f"""\
version: 1
issuers:
  team: {TEAM}
grants:
  - name: all
    entities: [{{issuer: team, names: ["*"]}}]
    secrets: [{{keys: ["/**"]}}]
"""


class PolicyWorld(World):
    """A world whose rules come from a file."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__()
        self.path = path
        path.write_text(text)
        self.variables["ACCESS_POLICY_FILE"] = str(path)

    @property
    def rules(self) -> AccessPolicyFile:
        """The file as the service reads it."""
        rules = self.service().access.file
        assert rules is not None
        return rules

    async def patiently(self, holds: Callable[[], bool], seconds_a_turn: float = 0) -> None:
        """Wait until something is so that takes a thread, as reading the file does."""
        for _ in range(1000):
            if holds():
                return
            self.clock.advance(seconds_a_turn)
            await asyncio.sleep(0.005)
        raise AssertionError("it never came to that")


async def test_a_broken_policy_file_is_a_wrong_setting_and_nothing_is_connected_to(
    tmp_path: Path,
) -> None:
    world = PolicyWorld(tmp_path / "policy.yaml", "version: 2\nissuers: {}\ngrnts: []\n")

    with pytest.raises(SettingsError) as caught:
        await world.service().run(world.stop, world.reload)

    assert world.events == []
    texts = [str(problem) for problem in caught.value.problems]
    assert len(texts) > 1
    assert all(text.startswith("ACCESS_POLICY_FILE ") for text in texts)
    assert any("line 3, column 8: grnts" in text for text in texts)


@pytest.mark.parametrize(("required", "starts"), [("true", False), ("false", True)])
async def test_a_required_policy_file_must_grant_something(
    tmp_path: Path, required: str, starts: bool
) -> None:
    world = PolicyWorld(tmp_path / "policy.yaml", NO_GRANTS)
    world.variables["REQUIRE_ACCESS_POLICY"] = required

    async with world.running() as task:
        await world.patiently(lambda: task.done() or bool(world.logged("service.ready")))

    assert bool(world.logged("service.ready")) is starts
    if not starts:
        with pytest.raises(SettingsError, match="REQUIRE_ACCESS_POLICY insists"):
            task.result()


async def test_ready_says_what_the_policy_file_has_in_force(tmp_path: Path) -> None:
    world = PolicyWorld(tmp_path / "policy.yaml", ONE_GRANT)

    async with world.running():
        await world.patiently(lambda: bool(world.logged("service.ready")))

    (record,) = world.logged("service.ready")
    assert (record["rules"], record["issuers"]) == ("policy_file", 1)
    assert (record["grants"], record["denials"]) == (1, 0)
    assert record["policy_sha256"] == sha256(ONE_GRANT.encode()).hexdigest()
    assert "trusted_issuers" not in record


async def test_ready_counts_the_trusted_issuers_where_there_is_no_policy_file() -> None:
    world = World()
    keys = [SigningKey.generate(KeyKind.ACCOUNT).public for _ in range(3)]
    world.variables["TRUSTED_ISSUERS"] = ",".join(keys)
    world.variables["AUTHORIZATION_MODE"] = "observe"

    async with world.running():
        await world.until(lambda: bool(world.logged("service.ready")))

    (record,) = world.logged("service.ready")
    assert (record["rules"], record["issuers"]) == ("trusted_issuers", 3)
    assert record["authorization_mode"] == "observe"
    assert "policy_sha256" not in record


async def test_what_is_wrong_with_the_store_and_the_trail_is_said_at_once() -> None:
    world = World(StoreMisconfiguredError("The secret is wrong"))
    world.audit.failure = AuditSinkError("Make room for the audit trail")

    with pytest.raises(ServiceMisconfiguredError) as caught:
        await world.service().run(world.stop, world.reload)

    assert caught.value.advices == ("The secret is wrong", "Make room for the audit trail")


async def test_a_changed_policy_file_comes_into_force_by_itself(tmp_path: Path) -> None:
    world = PolicyWorld(tmp_path / "policy.yaml", NO_GRANTS)

    async with world.running():
        await world.patiently(lambda: bool(world.logged("service.ready")))
        world.path.write_text(ONE_GRANT)
        await world.patiently(lambda: world.rules.status.grants == 1, POLL_SECONDS)

    assert "audit reopened" not in world.events


async def test_reloading_reads_the_policy_file_and_reopens_the_audit_file_each_time(
    tmp_path: Path,
) -> None:
    world = PolicyWorld(tmp_path / "policy.yaml", NO_GRANTS)
    world.reload.set()  # before it is up: it is not forgotten

    async with world.running():
        await world.patiently(lambda: world.events.count("audit reopened") == 1)
        world.path.write_text(ONE_GRANT)
        world.reload.set()
        await world.patiently(lambda: world.rules.status.grants == 1)

    assert world.events.count("audit reopened") == 2
    assert world.events.count("store reloaded") == 2


async def test_reloading_without_a_policy_file_reopens_the_audit_file() -> None:
    world = World()

    async with world.running():
        await world.until(lambda: bool(world.logged("service.ready")))
        world.reload.set()
        await world.until(lambda: "audit reopened" in world.events)

    assert not world.reload.is_set()


async def test_a_transport_that_cannot_be_opened_ends_it_and_closes_what_was_open() -> None:
    world = World()
    world.connection.failure = TransportFailedError("Failed to connect; check it.")

    with pytest.raises(ServiceFailedError, match="Failed to connect; check it"):
        await world.service().run(world.stop, world.reload)

    assert world.events == [
        "admin started",
        "connection opened",
        "connection closed",
        "store closed",
        "admin closed",
    ]


async def test_a_wrong_configuration_of_the_store_ends_it_before_it_takes_requests() -> None:
    world = World(MISCONFIGURED)

    with pytest.raises(ServiceFailedError, match="The secret is wrong"):
        await world.service().run(world.stop, world.reload)

    assert "transport started" not in world.events


async def test_a_store_that_is_away_is_asked_again_until_it_answers() -> None:
    world = World(UNREACHABLE, UNREACHABLE, None)

    async with world.running():
        await world.until(lambda: "transport started" in world.events)
        assert world.logged("service.not_ready")[0]["advice"] == str(UNREACHABLE)
        assert not world.logged("service.ready")
        await world.until(lambda: bool(world.logged("service.ready")), seconds_a_turn=1)
        for _ in range(100):
            world.clock.advance(1)
            await asyncio.sleep(0)

    assert world.check.calls == 3


async def test_a_store_that_turns_out_misconfigured_ends_it() -> None:
    world = World(UNREACHABLE, MISCONFIGURED)

    async with world.running() as task:
        await world.until(task.done, seconds_a_turn=1)

    with pytest.raises(ServiceFailedError, match="The secret is wrong"):
        task.result()
    assert "transport stopped within 10" in world.events


async def test_a_connection_that_is_closed_for_good_ends_it() -> None:
    world = World()

    async with world.running() as task:
        await world.until(lambda: bool(world.logged("service.ready")))
        world.connection.is_closed = True
        await world.until(task.done, seconds_a_turn=1)

    with pytest.raises(ServiceFailedError, match="closed for good"):
        task.result()


async def test_it_stops_while_it_is_still_starting() -> None:
    world = World()
    world.connection.gate.clear()

    async with world.running() as task:
        await world.until(lambda: "connection opened" in world.events)
    task.result()

    assert world.events == [
        "admin started",
        "connection opened",
        "connection closed",
        "store closed",
        "admin closed",
    ]


async def test_probes_hear_from_the_first_request_to_the_last_that_requests_are_taken() -> None:
    world = World()
    assert not world.service().admin.is_serving

    async with world.running():
        world.connection.gate.clear()
        await world.until(lambda: "connection opened" in world.events)
        assert not world.service().admin.is_serving
        world.connection.gate.set()
        await world.until(lambda: "transport started" in world.events)
        await world.until(lambda: world.service().admin.is_serving)
        world.stop.set()
        await world.until(lambda: "transport stopped within 10" in world.events)
        assert not world.service().admin.is_serving


async def test_a_check_under_way_ends_before_what_it_asks_is_closed() -> None:
    world = World()
    ended: list[str] = []

    async def probe() -> Finding:
        try:
            await asyncio.Event().wait()
        finally:
            ended.extend(world.events)
        raise AssertionError

    readiness = Readiness([ReadinessCheck("store", probe)], world.clock)
    world.service().admin.readiness = readiness

    async with world.running():
        await world.until(lambda: bool(world.logged("service.ready")))
        world.clock.advance(1.0)
        readiness.refresh()
        await asyncio.sleep(0)

    assert ended == world.events[: len(ended)]
    assert "transport stopped within 10" not in ended
    assert "transport started" in ended


async def test_an_address_that_cannot_be_listened_on_ends_it_before_it_connects() -> None:
    world = World()
    world.listener.failure = AdminHttpError("ADMIN_ADDR is taken; choose another.")

    with pytest.raises(ServiceFailedError, match="ADMIN_ADDR is taken"):
        await world.service().run(world.stop, world.reload)

    assert world.events == ["admin started", "admin closed"]


class OtherReplica(FakeHandler):
    """Announces an xkey."""

    def __init__(self, announced: bytes) -> None:
        super().__init__()
        self._announced = announced

    @override
    async def begin(self, request: Any) -> Reply:
        return Reply(self._announced)


async def test_another_replica_with_another_key_ends_it_before_it_takes_requests() -> None:
    world = World()
    await world.others.start(OtherReplica(SodiumXKeyPair.generate().public.encode()))

    with pytest.raises(ServiceFailedError, match="SERVER_XKEY_SEED"):
        await world.service().run(world.stop, world.reload)

    assert "transport started" not in world.events


async def test_another_replica_with_the_same_key_is_welcome() -> None:
    world = World()
    await world.others.start(OtherReplica(world.keys.current.public.encode()))

    async with world.running():
        await world.until(lambda: bool(world.logged("service.ready")))


async def test_a_replica_with_a_retired_key_is_a_rotation_and_worth_a_warning() -> None:
    world = World()
    await world.others.start(OtherReplica(world.keys.retired[0].public.encode()))

    async with world.running():
        await world.until(lambda: bool(world.logged("service.ready")))

    assert world.logged("server_xkey.rotating")[0]["level"] == "warning"
