"""What the kv commands ask at a terminal, where there is none."""

from __future__ import annotations

import warnings
from getpass import GetPassWarning

import pytest
import typer
from typer.testing import CliRunner, Result

from bootstrap.cli import kv, kv_session


@pytest.fixture(autouse=True)
def no_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(**_: object) -> None:
        raise AssertionError("the bucket was opened")

    monkeypatch.setattr(kv_session, "open_kv", opened)
    monkeypatch.setattr(kv_session, "open_catalog", opened)


def run(*words: str) -> Result:
    return CliRunner().invoke(kv.app, list(words), input="", catch_exceptions=False)


@pytest.mark.parametrize("further", [(), ("--keep-history",)])
def test_delete_without_an_answer_names_the_option_that_needs_none(
    further: tuple[str, ...],
) -> None:
    refused = run("delete", "KEY", *further)

    assert refused.exit_code == 2
    assert "give --yes" in refused.output


def test_a_prompt_without_a_terminal_asks_for_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_terminal(*_: object, **__: object) -> str:
        warnings.warn("Can not control echo on the terminal.", GetPassWarning, stacklevel=1)
        return "shown"

    monkeypatch.setattr(typer, "prompt", no_terminal)

    refused = run("put", "KEY", "--prompt")

    assert refused.exit_code == 2
    assert "--prompt needs a terminal" in refused.output
