"""Ctrl-C ends a command without a word, even while it is loaded."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import NoReturn

import pytest

from bootstrap.command import run


def test_ctrl_c_while_a_command_is_loaded_ends_it_with_130_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def app() -> NoReturn:
        raise KeyboardInterrupt

    loaded = ModuleType("bootstrap.cli")
    loaded.__dict__["app"] = app
    monkeypatch.setitem(sys.modules, "bootstrap.cli", loaded)
    monkeypatch.setattr(sys, "argv", ["wasmcloud-secrets", "kv", "list"])

    with pytest.raises(SystemExit) as ended:
        run()

    assert ended.value.code == 130
    assert capfd.readouterr() == ("", "")
