"""What every audit trail does: run by the fake and by each sink."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import pytest
from typing_extensions import override

from domain.model.audit import AuditEvent, Outcome, ServerKey
from domain.model.identity import AccountKey, Caller, Claims, IdentityKind, SubjectKey
from domain.model.reference import SecretLocation
from domain.model.transport import Requester

if TYPE_CHECKING:
    from ports.audit import AuditTrail
    from tests.fakes.audit import FakeAuditTrail

SEED = "SXA" + "B" * 55
JWT = "eyJhbGciOiJFZDI1NTE5In0.eyJqdGkiOiJhYmMifQ.c2lnbmF0dXJl"
PASSWORD = "canary-hunter2"

CALLER = Caller(
    entity=Claims(
        IdentityKind.PROVIDER,
        SubjectKey("V1"),
        AccountKey("A1"),
        "id-1",
        0,
        name="mailer",
        revision=7,
        artifact_hash="0F",
        tags=("wasmcloud.com/experimental", "internal"),
    ),
    host=Claims(IdentityKind.HOST, SubjectKey("N1"), AccountKey("A2"), "id-2", 0, name="edge-7"),
    application="shop",
)
ANSWERED = AuditEvent(
    time=1_800_000_000.25,
    duration=0.0015,
    request_id="abcdefgh-000001",
    operation="get",
    received_at=0.0,
    outcome=Outcome.ANSWERED,
    reason="granted",
    caller=CALLER,
    requester=Requester("AACC", "edge"),
    backend="infisical",
    key="payments/API_KEY",
    field="user",
    version_asked="3",
    version_served="3",
    properties={"environment": "prod"},
    location=SecretLocation("/payments/API_KEY", (("environment", "prod"),)),
    allowed=True,
    grant="payments",
    served_from="store",
    upstream_request_id="req-9",
    server_key=ServerKey.CURRENT,
    note="numbers_may_be_inexact",
)
REFUSED = AuditEvent(
    time=1_800_000_000.0,
    duration=0.001,
    request_id="abcdefgh-000002",
    operation="get",
    received_at=0.0,
    outcome=Outcome.REFUSED,
    reason="decryption_failed",
    error="DecryptionError",
    backend="infisical",
)


def numbered(count: int, first: int = 0, like: AuditEvent = ANSWERED) -> list[AuditEvent]:
    """Return so many events, told apart by their request ids."""
    return [replace(like, request_id=f"request-{first + n:06d}") for n in range(count)]


def ids(events: list[AuditEvent]) -> list[str]:
    """Return their request ids."""
    return [event.request_id for event in events]


@runtime_checkable
class _Opened(Protocol):
    """A trail that is opened before the first event and closed after the last."""

    async def start(self) -> None: ...

    async def aclose(self) -> None: ...


class AuditContract(ABC):
    """Subclass it in a test module, with a fixture that sets `trail`: the trail under test."""

    trail: AuditTrail

    many = 1500
    """Events of the test that loses some if any can be lost."""

    async def start(self) -> None:
        """Open the trail, if it must be opened."""
        if isinstance(self.trail, _Opened):
            await self.trail.start()

    async def close(self) -> None:
        """Close the trail, if it must be closed."""
        if isinstance(self.trail, _Opened):
            await self.trail.aclose()

    @abstractmethod
    async def kept(self) -> list[str]:
        """Return the request ids of what it has kept, in order; called once it is closed."""

    async def test_every_event_arrives_once_and_in_order(self) -> None:
        events = numbered(self.many)
        await self.start()
        for event in events:
            self.trail.record(event)
        await self.close()

        assert await self.kept() == ids(events)

    async def test_an_event_from_before_the_start_arrives_too(self) -> None:
        events = numbered(2)
        self.trail.record(events[0])
        await self.start()
        self.trail.record(events[1])
        await self.close()

        assert await self.kept() == ids(events)

    async def test_it_accepts_events_before_and_after_some_were_recorded(self) -> None:
        await self.start()
        assert self.trail.accepts()
        self.trail.record(ANSWERED)
        assert self.trail.accepts()
        await self.close()

    @pytest.mark.parametrize(
        "event",
        [
            replace(ANSWERED, time=float("inf")),
            replace(ANSWERED, time=float("nan")),
            replace(ANSWERED, key="\ud800 \x00 \n \u2028"),
            replace(ANSWERED, key="k" * 200_000, operation="o" * 200_000),
            replace(ANSWERED, properties={"n" * 200_000: "v" * 200_000}),
        ],
    )
    async def test_recording_never_raises_and_costs_no_other_event(self, event: AuditEvent) -> None:
        await self.start()
        self.trail.record(replace(event, request_id="odd"))
        self.trail.record(ANSWERED)
        await self.close()

        assert [kept for kept in await self.kept() if kept != "odd"] == [ANSWERED.request_id]

    async def test_recording_after_the_end_does_not_raise(self) -> None:
        await self.start()
        await self.close()

        self.trail.record(ANSWERED)

    async def test_closing_again_does_nothing(self) -> None:
        await self.start()
        self.trail.record(ANSWERED)
        await self.close()
        await self.close()

        assert await self.kept() == [ANSWERED.request_id]


class AuditInMemoryContract(AuditContract):
    """For trails whose events end in a fake one. `inner`: the fake; set by the fixture, too."""

    inner: FakeAuditTrail

    @override
    async def kept(self) -> list[str]:
        return ids(self.inner.events)


class AuditOutputContract(AuditContract):
    """For trails that write JSON lines."""

    @abstractmethod
    async def raw(self) -> bytes:
        """Return everything written, a line for each event; called once it is closed."""

    async def lines(self) -> list[dict[str, Any]]:
        """Return what was written, as a collector reads it."""
        return [json.loads(line) for line in (await self.raw()).splitlines()]

    @override
    async def kept(self) -> list[str]:
        return [line["request_id"] for line in await self.lines()]

    async def test_what_looks_like_a_credential_reaches_no_line(self) -> None:
        await self.start()
        self.trail.record(
            replace(
                ANSWERED,
                key=f"key {SEED}",
                field=f"Bearer {PASSWORD}",
                version_asked=JWT,
                properties={"password": PASSWORD, "role": JWT, SEED: "x"},
                caller=replace(CALLER, application=SEED),
            )
        )
        await self.close()

        raw = (await self.raw()).decode()
        assert '"request_id":"abcdefgh-000001"' in raw
        assert not [canary for canary in (SEED, JWT, PASSWORD) if canary in raw]

    async def test_a_line_stays_one_line_of_plain_characters(self) -> None:
        await self.start()
        self.trail.record(replace(ANSWERED, key='a\nb\r\x1b[1m"\u2028\u202e\x9b'))
        await self.close()

        raw = await self.raw()
        assert len(raw.splitlines()) == 1
        assert raw.strip().decode("ascii").isprintable()
        assert (await self.lines())[0]["key"] == 'a\nb\r\x1b[1m"\u2028\u202e\x9b'

    async def test_no_request_makes_a_long_line(self) -> None:
        long = "l" * 100_000
        await self.start()
        self.trail.record(
            replace(
                ANSWERED,
                operation=long,
                key=long,
                field=long,
                version_asked=long,
                properties={f"{n}{long}": long for n in range(64)},
                caller=replace(CALLER, entity=replace(CALLER.entity, tags=(long,) * 1000)),
            )
        )
        await self.close()

        assert len(await self.raw()) < 8192
