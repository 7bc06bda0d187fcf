"""`audit tail`: readable lines from a file, or from the stream of a session."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from adapters.nats.connect_errors import NatsConnectError
from adapters.system.clock import SystemClock
from adapters.telemetry.audit_record import audit_fields
from bootstrap.cli import audit, audit_events
from domain.model.audit import AuditEvent, Outcome
from domain.model.identity import SubjectKey
from domain.model.messages import PROBE_KEY
from domain.model.reference import SecretLocation
from tests.contracts.audit import ANSWERED, CALLER, REFUSED
from tests.support.audit_text import audit_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
def now() -> float:
    return SystemClock().now()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def write(path: Path, *events: AuditEvent) -> None:
    path.write_bytes(b"".join(audit_line(event) + b"\n" for event in events))


def run(*words: str) -> Result:
    return CliRunner().invoke(audit.app, ["tail", *words])


def shown(event: AuditEvent) -> str:
    return audit_events.describe(audit_fields(event)).plain


def test_an_answered_request_reads_as_who_got_what_and_why() -> None:
    assert shown(ANSWERED) == (
        "2027-01-15 08:00:00.250  answered   provider shop/mailer (V1) → payments/API_KEY "
        "field user version 3  granted by payments  1.5 ms  abcdefgh-000001"
    )


def test_a_refused_request_reads_as_error_and_reason() -> None:
    assert shown(REFUSED) == (
        "2027-01-15 08:00:00.000  refused    unknown → get  DecryptionError: decryption_failed"
        "  1.0 ms  abcdefgh-000002"
    )


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (replace(REFUSED, requester=ANSWERED.requester), "account AACC → get"),
        (replace(ANSWERED, caller=replace(CALLER, application=None)), "provider mailer (V1) →"),
        (replace(ANSWERED, version_served=None), "version 3"),
        (replace(ANSWERED, key="", field=None, version_served=None, version_asked=None), '→ ""  '),
        (replace(ANSWERED, grant=None), "  granted  "),
        (replace(ANSWERED, key="a\x1b[1m\nb[red]"), "→ a\\x1b[1m\\nb[red] "),
    ],
)
def test_a_line_says_what_is_known(event: AuditEvent, words: str) -> None:
    assert words in shown(event)


def test_a_key_is_shortened() -> None:
    entity = replace(CALLER.entity, subject=SubjectKey("M" + "A" * 55), name=None)
    event = replace(ANSWERED, caller=replace(CALLER, entity=entity, application=None))

    assert "provider MAAAAAAA… →" in shown(event)


def test_a_file_is_shown_from_the_age_asked_for_on(path: Path, now: float) -> None:
    write(
        path,
        replace(ANSWERED, time=now - 7200, request_id="old"),
        replace(ANSWERED, time=now - 60, request_id="young"),
    )

    recent = run("--file", str(path), "--no-follow")
    assert (recent.exit_code, recent.stdout.count("\n")) == (0, 1)
    assert "young" in recent.stdout

    everything = run("--file", str(path), "--no-follow", "--since", "3h")
    assert [line.split()[-1] for line in everything.stdout.splitlines()] == ["old", "young"]


def test_only_errors_are_shown_when_asked_for(path: Path, now: float) -> None:
    write(
        path,
        replace(ANSWERED, time=now),
        replace(REFUSED, time=now),
        replace(ANSWERED, time=now, outcome=Outcome.CANCELLED, request_id="cancelled-1"),
    )

    result = run("--file", str(path), "--no-follow", "--errors-only")

    ids = [line.split()[-1] for line in result.stdout.splitlines()]
    assert ids == [REFUSED.request_id, "cancelled-1"]


def test_json_lines_are_the_events_as_they_are(path: Path, now: float) -> None:
    event = replace(ANSWERED, time=now, key="k\u00e9y " + "w" * 200)
    stored = audit_line(event).replace(b'","', b'" ,  "')
    path.write_bytes(stored + b"\n")

    result = run("--file", str(path), "--no-follow", "--json")

    assert result.stdout_bytes == stored + b"\n"
    assert json.loads(result.stdout) == {"event": "secret_request", **audit_fields(event)}


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ((), ["a", "b", "c"]),
        (("--key", "payments/"), ["a"]),
        (("--key", "/prod/"), ["b"]),
        (("--entity", "V1"), ["a"]),
        (("--entity", "mail"), ["a"]),
        (("--reason", "entity_name_differs"), ["b"]),
        (("--outcome", "cancelled"), ["c"]),
        (("--outcome", "refused", "--key", "payments/"), []),
        (("--all",), ["a", "b", "c", "x", "p", "s"]),
    ],
)
def test_events_are_chosen_by_what_they_hold(
    path: Path, now: float, options: tuple[str, ...], ids: list[str]
) -> None:
    other = replace(CALLER, entity=replace(CALLER.entity, subject=SubjectKey("M9"), name="web"))
    place = SecretLocation("/prod/OTHER")
    write(
        path,
        replace(ANSWERED, time=now, request_id="a"),
        replace(
            ANSWERED,
            time=now,
            request_id="b",
            key="OTHER",
            location=place,
            caller=other,
            outcome=Outcome.REFUSED,
            reason="entity_name_differs",
        ),
        replace(
            ANSWERED,
            time=now,
            request_id="c",
            key="THIRD",
            location=None,
            caller=other,
            outcome=Outcome.CANCELLED,
        ),
        replace(REFUSED, time=now, request_id="x", operation="server_xkey"),
        replace(REFUSED, time=now, request_id="p", key=PROBE_KEY),
        replace(ANSWERED, time=now, request_id="s", key=None, reason="key_probe", count=15),
    )

    result = run("--file", str(path), "--no-follow", *options)

    assert [line.split()[-1] for line in result.stdout.splitlines()] == ids


def test_a_line_that_is_no_event_is_pointed_out_and_left_out(path: Path, now: float) -> None:
    write(path, replace(ANSWERED, time=now))
    with path.open("ab") as file:
        file.write(b'torn {\n[1]\n{"unfinished')

    result = run("--file", str(path), "--no-follow")

    assert result.exit_code == 0
    assert result.stdout.count("\n") == 1
    assert result.stderr.count("no audit event") == 2


def test_a_file_that_is_not_there_is_one_line_of_advice(path: Path) -> None:
    result = run("--file", str(path), "--no-follow")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "cannot be read" in result.stderr


@pytest.mark.parametrize("since", ["", "m", "-5m", "1.5h", "1w", "9999999999d"])
def test_an_age_that_is_none_is_one_line_of_advice(path: Path, since: str) -> None:
    result = run("--file", str(path), "--since", since)

    assert result.exit_code == 2
    assert "--since" in result.stderr


def test_an_age_beyond_all_time_shows_everything(path: Path) -> None:
    write(path, replace(ANSWERED, time=datetime(1990, 1, 1, tzinfo=UTC).timestamp()))

    result = run("--file", str(path), "--no-follow", "--since", "999999999d")

    assert result.stdout.count("\n") == 1


def test_a_session_that_cannot_connect_is_one_line_of_advice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @asynccontextmanager
    async def open_nats() -> AsyncIterator[Any]:
        raise NatsConnectError("Failed to connect to NATS; check NATS_URL.", reason="refused")
        yield

    monkeypatch.setattr(audit_events, "open_nats", open_nats)

    result = run()

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Failed to connect to NATS; check NATS_URL.\n"


def test_ctrl_c_ends_it_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def open_nats() -> AsyncIterator[Any]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(audit_events, "open_nats", open_nats)

    result = run()

    assert (result.exit_code, result.output) == (130, "")
