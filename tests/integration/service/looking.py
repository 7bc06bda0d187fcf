"""`check` in the test's own process, so that a model of a store can stand beside it."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from adapters.telemetry.log_setup import configure_logging
from bootstrap.preflight.run import preflight
from bootstrap.settings.model import known_variables

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from bootstrap.preflight import Findings

Settings = dict[str, str]
Look = Callable[[Settings], Awaitable["Findings"]]

MISCONFIGURED, FAILED, WELL = (2, "misconfigured"), (1, "failed"), (0, "ok")
"""How a preflight ends: its exit code, and the level of the line that says why."""


def looking(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Look:
    """Return what runs a preflight in a folder, with these variables and no other setting."""

    async def look(settings: Settings) -> Findings:
        before = _names_in(folder)
        with monkeypatch.context() as patched:
            patched.chdir(folder)
            for name in known_variables():
                patched.delenv(name, raising=False)
            for name, text in settings.items():
                patched.setenv(name, text)
            configure_logging("error", "json", io.StringIO())
            findings = await preflight()
        assert _names_in(folder) == before
        return findings

    return look


def said(findings: Findings, level: str, topic: str) -> str:
    """Return the texts of one level and topic, one a line."""
    return "\n".join(
        one.text for one in findings.found if (one.level.word, one.topic) == (level, topic)
    )


def _names_in(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


async def expect(look: Look, settings: Settings, end: tuple[int, str], words: str) -> None:
    """Look, and compare the exit code and the store's line."""
    code, level = end
    findings = await look(settings)

    assert words in said(findings, level, "store")
    assert findings.exit_code == code
    assert "canary" not in "".join(one.text for one in findings.found)
