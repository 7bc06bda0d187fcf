"""Whatever goes wrong in a command ends in one line and an exit code."""

from __future__ import annotations

import pytest
import typer

from adapters.nats.connect_errors import NatsConnectError
from bootstrap.cli.reporting import CommandError, guarded
from bootstrap.settings import Problem, SettingsError
from domain.model.errors import PolicyError, SecretNotFound
from domain.model.replies import MalformedReplyError
from ports.transport import ChannelError


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (CommandError("Give another."), 2, "Give another."),
        (SettingsError(Problem("NATS_URL", "must be.")), 2, "- NATS_URL must be."),
        (ChannelError("No reply.", reason="no_responders"), 1, "No reply."),
        (NatsConnectError("No server.", reason="refused"), 1, "No server."),
        (SecretNotFound("Not there."), 1, "SecretNotFound: Not there."),
        (PolicyError("[red]Too wide.[/red]"), 1, "PolicyError: [red]Too wide.[/red]"),
        (MalformedReplyError("it is odd"), 1, "it is odd"),
    ],
)
def test_an_error_becomes_a_line_and_a_code(
    capsys: pytest.CaptureFixture[str], error: Exception, code: int, text: str
) -> None:
    def work() -> None:
        raise error

    with pytest.raises(typer.Exit) as ended:
        guarded(work)

    assert ended.value.exit_code == code
    assert text in capsys.readouterr().err


def test_a_bug_is_told_by_its_type_alone(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        raise ValueError("canary-0c0a")

    with pytest.raises(typer.Exit) as ended:
        guarded(work)

    shown = capsys.readouterr().err
    assert ended.value.exit_code == 1
    assert "ValueError" in shown
    assert "canary" not in shown


def test_what_typer_itself_ends_with_passes_through() -> None:
    def work() -> None:
        raise typer.Exit(7)

    with pytest.raises(typer.Exit) as ended:
        guarded(work)

    assert ended.value.exit_code == 7
