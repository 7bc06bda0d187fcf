"""What a log line looks like, that of a fault as well, and what never gets into one."""

from __future__ import annotations

import io
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog
from typing_extensions import override

from adapters.telemetry.fault_log import StructlogFaultLog
from adapters.telemetry.log_setup import configure_logging
from domain.model.secret import SecretValue

if TYPE_CHECKING:
    from tests.unit.adapters.telemetry.conftest import LogText

CANARY = "canary-5e1f"
SEED = "SXA" + "BCDEFGH234567" * 4 + "ABC"
JWT = "eyJ0eXAiOiJqd3QifQ.eyJzdWIiOiJNIn0.c2lnbmF0dXJl"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    @override
    def isatty(self) -> bool:
        return True


def test_a_record_is_one_line_of_json_with_time_level_and_event_first(log_text: LogText) -> None:
    structlog.get_logger().info("service.ready", subject="a\nb", count=2)

    (line,) = log_text.getvalue().splitlines()
    assert re.match(r'\{"timestamp":"[^"]+Z","level":"info","event":"service.ready",', line)
    assert log_text.records()[0] | {"subject": "a\nb", "count": 2} == log_text.records()[0]


def test_records_below_the_level_are_not_written() -> None:
    stream = io.StringIO()
    configure_logging("warning", "json", stream)
    log = structlog.get_logger()

    log.info("quiet")
    log.warning("loud")

    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()


def test_auto_means_json_for_a_collector_and_columns_for_a_terminal() -> None:
    collected, terminal = io.StringIO(), Terminal()

    configure_logging("info", "auto", collected)
    structlog.get_logger().info("service.ready")
    configure_logging("info", "auto", terminal)
    structlog.get_logger().info("service.ready")

    assert collected.getvalue().startswith("{")
    assert "service.ready" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")


def test_the_console_shows_no_control_characters_of_a_requester() -> None:
    stream = io.StringIO()
    configure_logging("info", "console", stream)

    structlog.get_logger().info("secret_request", key="a\x1b[2Jb\nforged line")

    assert "\x1b" not in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 1


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize(
    "name",
    ["value", "token", "seed", "password", "client_secret", "Authorization", "entity_jwt"],
)
def test_a_field_named_like_a_secret_is_hidden(log_format: str, name: str) -> None:
    stream = io.StringIO()
    configure_logging("info", "json" if log_format == "json" else "console", stream)

    structlog.get_logger().info("event", **{name: CANARY}, nested={name: CANARY})

    assert CANARY not in stream.getvalue()
    assert "[redacted]" in stream.getvalue()


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("secret", [SEED, JWT, f"Bearer {CANARY}"])
def test_a_text_shaped_like_a_credential_is_hidden_wherever_it_stands(
    log_format: str, secret: str
) -> None:
    stream = io.StringIO()
    configure_logging("info", "json" if log_format == "json" else "console", stream)

    structlog.get_logger().info(f"event {secret}", note=f"<{secret}>", listed=[{"a": secret}])

    assert secret not in stream.getvalue()
    assert stream.getvalue().count("[redacted]") == 3


def test_public_keys_and_ids_are_shown(log_text: LogText) -> None:
    public = "X" + "A" * 55

    structlog.get_logger().info("event", server_xkey=public, key="Secrets/API_KEY")

    assert log_text.records()[0]["server_xkey"] == public
    assert log_text.records()[0]["key"] == "Secrets/API_KEY"


def test_objects_are_shown_by_type_alone(log_text: LogText) -> None:
    structlog.get_logger().info(
        "event",
        held=SecretValue(CANARY),
        raw=CANARY.encode(),
        where=Path("/run/key"),
        names=frozenset({"b", "a"}),
    )

    assert CANARY not in log_text.getvalue()
    record = log_text.records()[0]
    assert (record["held"], record["raw"]) == ("<SecretValue>", "<bytes>")
    assert (record["where"], record["names"]) == ("/run/key", ["a", "b"])


def test_an_exception_is_its_type_and_frames_without_text_or_locals(log_text: LogText) -> None:
    def fail(held: str) -> None:
        raise ValueError(f"cannot use {held}")

    try:
        fail(CANARY)
    except ValueError:
        structlog.get_logger().exception("event")

    assert CANARY not in log_text.getvalue()
    record = log_text.records()[0]
    assert record["exception"] == "ValueError"
    assert re.fullmatch(
        r"tests/unit/adapters/telemetry/test_log_setup\.py:\d+:.*fail", record["frames"][-1]
    )


def test_the_causes_of_an_exception_are_told_the_same_way(log_text: LogText) -> None:
    group = ExceptionGroup("several", [OSError(CANARY)])
    group.__cause__ = KeyError(CANARY)

    structlog.get_logger().error("event", exc_info=group)

    assert CANARY not in log_text.getvalue()
    causes = [cause["exception"] for cause in log_text.records()[0]["causes"]]
    assert causes == ["KeyError", "OSError"]


def test_libraries_are_heard_from_warning_up_without_arguments_or_exception_texts(
    log_text: LogText,
) -> None:
    library = logging.getLogger("nats.aio.client")

    library.info("connected with %s", CANARY)
    library.warning("slow consumer on %s", CANARY)
    library.error("nats: encountered error", exc_info=ValueError(CANARY))

    assert CANARY not in log_text.getvalue()
    warning, error = log_text.records()
    assert warning["event"] == "library.warning"
    assert (warning["library"], warning["message"]) == ("nats.aio.client", "slow consumer on")
    assert (error["event"], error["exception"]) == ("library.error", "ValueError")
    assert error["message"] == "nats: encountered error"


def test_a_failed_task_that_asyncio_reports_does_not_show_its_exception(log_text: LogText) -> None:
    text = f"Task exception was never retrieved\nfuture: <Task exception=ValueError('{CANARY}')>"

    logging.getLogger("asyncio").error(text)

    assert CANARY not in log_text.getvalue()
    assert log_text.records()[0]["message"] == "Task exception was never retrieved"


def test_a_stream_that_is_closed_does_not_fail_the_caller() -> None:
    stream = io.StringIO()
    configure_logging("info", "json", stream)
    stream.close()

    structlog.get_logger().info("event")


def test_a_fault_is_logged_by_type_frames_and_request_id(log_text: LogText) -> None:
    def fail() -> None:
        raise RuntimeError("canary-5e1f")

    try:
        fail()
    except RuntimeError as error:
        StructlogFaultLog().unexpected(error, "abcdefgh-000001")

    (record,) = log_text.records()
    assert (record["event"], record["level"]) == ("fault.unexpected", "error")
    assert (record["request_id"], record["exception"]) == ("abcdefgh-000001", "RuntimeError")
    assert "test_log_setup.py" in record["frames"][0]
    assert "canary" not in log_text.getvalue()


def test_a_fault_without_a_traceback_is_logged_too(log_text: LogText) -> None:
    StructlogFaultLog().unexpected(ValueError(), "abcdefgh-000002")

    assert log_text.records()[0]["frames"] == []
