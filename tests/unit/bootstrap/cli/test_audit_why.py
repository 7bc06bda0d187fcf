"""`audit why`: which secret a host did not get, from what its operator reads."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from adapters.system.clock import SystemClock
from bootstrap.cli import app

if TYPE_CHECKING:
    from pathlib import Path

HOST, OTHER_HOST = "N" + "A" * 55, "N" + "B" * 55


def event(request_id: str, ago: float = 60.0, **members: Any) -> dict[str, Any]:
    time = datetime.fromtimestamp(SystemClock().now() - ago, UTC)
    return {
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "event": "secret_request",
        "request_id": request_id,
        "operation": "get",
        "outcome": "refused",
        "reason": "secret_not_found",
        "error": "SecretNotFound",
        "advice": "Nothing of that name is stored there.",
        "duration_ms": 1.0,
        "key": "API_KEY",
        "path": "/API_KEY",
        "scope_environment": "prod",
        "entity": "M" + "C" * 55,
        "entity_kind": "component",
        "entity_name": "checkout",
        "application": "shop",
        "host": HOST,
    } | members


EVENTS = [
    event("a-1", ago=7200, key="OLD"),
    event("a-2", key="FIRST", field="password"),
    event("a-3", outcome="answered", error=None, key="FINE"),
    event("a-4", key="MAIL", application="mail", host=OTHER_HOST),
    event("a-5", key="DB", reason="no_grant", error="Unauthorized", entity_name="reports"),
    event("a-6", key="CARD", reason="store_circuit_open", error="UpstreamError", advice="Wait."),
    event("a-7", operation="server_xkey", key="XKEY"),
]


@pytest.fixture
def trail(tmp_path: Path) -> str:
    file = tmp_path / "audit.jsonl"
    lines = [json.dumps(each) for each in EVENTS]
    file.write_text("\n".join([*lines, "no event", ""]))
    return str(file)


def run(trail: str, *words: str) -> Result:
    result = CliRunner().invoke(app, ["audit", "why", "--file", trail, *words])
    assert "Traceback" not in result.output
    return result


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ([], "CARD"),
        (["--application", "mail"], "MAIL"),
        (["--host", "NBBB"], "MAIL"),
        (["--component", "reports"], "DB"),
        (["--component", "checkout", "--said", "server error: Secret not found"], "MAIL"),
        (["--said", "Unable to fetch requested secrets: server error: Secret not found"], "MAIL"),
        (["--said", "Error fetching secret: unauthorized"], "DB"),
        (["--said", "server error: Error fetching secret: Wait. (request a-6)"], "CARD"),
        (["--application", "shop", "--said", "server error: Secret not found"], "FIRST"),
        (["--since", "3h", "--said", "Secret not found", "--last", "9"], "OLD"),
    ],
)
def test_the_last_refusal_that_fits_names_the_secret(
    trail: str, options: list[str], key: str
) -> None:
    result = run(trail, *options)

    assert result.exit_code == 0
    assert f"→ {key}" in result.output
    assert "FINE" not in result.output
    assert "XKEY" not in result.output


def test_it_tells_place_cause_and_advice_and_what_the_host_says(trail: str) -> None:
    output = run(trail, "--component", "reports").output

    assert "the host says server error: Error fetching secret: unauthorized" in output
    assert "/API_KEY in environment prod" in output
    assert "no_grant" in output
    assert "Nothing of that name is stored there." in output
    assert "a-5" in output


def test_several_are_shown_newest_first(trail: str) -> None:
    output = run(trail, "--application", "shop", "--last", "2").output

    assert output.index("CARD") < output.index("DB")
    assert "FIRST" not in output


@pytest.mark.parametrize(
    "options", [["--application", "none"], ["--since", "1s"], ["--said", "no responders"]]
)
def test_nothing_found_says_what_that_may_mean(trail: str, options: list[str]) -> None:
    result = run(trail, *options)

    assert result.exit_code == 1
    assert "never arrived" in result.output


def test_a_trail_that_cannot_be_read_is_one_line_of_advice(tmp_path: Path) -> None:
    result = run(str(tmp_path / "none.jsonl"))

    assert result.exit_code == 2
    assert "check path and mode" in result.output


def test_text_in_the_trail_cannot_steer_a_terminal(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    file.write_text(json.dumps(event("x", key="\x1b[31mred", host_name="a\nb")) + "\n")

    output = run(str(file)).output

    assert "\x1b[31m" not in output
    assert "a\\nb" in output
