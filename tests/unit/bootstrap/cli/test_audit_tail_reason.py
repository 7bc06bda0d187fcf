"""`audit tail --reason`: a code that no event can have is not passed over in silence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from adapters.system.clock import SystemClock
from bootstrap.cli import audit
from tests.contracts.audit import ANSWERED
from tests.support.audit_text import audit_line

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("entity_name_differs", ""),
        ("observed_entity_name_differs", ""),
        (
            "entity_name_difers",
            "This version writes no reason entity_name_difers. Did you mean entity_name_differs?\n",
        ),
        ("x\ty", "This version writes no reason x\\ty. docs/reasons.md lists those it writes.\n"),
    ],
)
def test_a_reason_that_no_event_can_have_is_doubted_and_looked_for(
    tmp_path: Path, reason: str, said: str
) -> None:
    path = tmp_path / "audit.jsonl"
    events = (replace(ANSWERED, time=SystemClock().now(), reason=code) for code in (reason, "kept"))
    path.write_bytes(b"".join(audit_line(event) + b"\n" for event in events))
    words = ["tail", "--file", str(path), "--no-follow", "--reason", reason]

    result = CliRunner().invoke(audit.app, words)

    assert (result.exit_code, result.stdout.count("\n"), result.stderr) == (0, 1, said)
