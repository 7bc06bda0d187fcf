"""Whatever a chosen plug-in raises ends the start with its name, a place and no text of its own."""

from __future__ import annotations

import json
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from bootstrap.main import main
from bootstrap.settings import SettingsError, plugins
from bootstrap.settings.chosen import ChosenStore
from bootstrap.settings.plugins import Kind
from ports.plugin import PluginError
from ports.settings import SettingsGroup
from ports.store_plugin import StorePlugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ports.store_plugin import StoreParts

CANARY = "canary-7f3e"


class Failing(StorePlugin[SettingsGroup]):
    """Raises one exception from each of its methods. `failure`: that exception."""

    name = "failing"
    title = "A failing store"
    api_version = 1
    settings = SettingsGroup

    def __init__(self, failure: Exception) -> None:
        self.failure = failure

    @override
    def warnings(self, settings: SettingsGroup) -> Iterator[str]:  # type: ignore[override]
        yield "One weakness."
        raise self.failure

    @override
    def build(self, settings: SettingsGroup, context: object) -> StoreParts:
        raise self.failure


class Needy(Failing):
    """Imports a package, once it is chosen, that is not installed."""

    @override
    def build(self, settings: SettingsGroup, context: object) -> StoreParts:
        import no_such_package.client  # type: ignore[import-not-found]  # noqa: F401, PLC0415

        raise AssertionError("imported")


def ask_to_build(chosen: ChosenStore) -> object:
    return chosen.build(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("ask", [ask_to_build, ChosenStore.warnings])
def test_a_plugin_that_fails_is_named_with_the_place_and_nothing_of_the_exceptions_text(
    ask: Callable[[ChosenStore], object],
) -> None:
    chosen = ChosenStore(Failing(RuntimeError(CANARY)), SettingsGroup())

    with capture_logs() as log, pytest.raises(SettingsError) as caught:
        ask(chosen)

    (problem,) = caught.value.problems
    assert problem.setting == "SECRET_STORE"
    assert "A failing store raises RuntimeError at tests/unit/bootstrap/test_cho" in problem.advice
    (record,) = log
    assert (record["event"], record["plugin"]) == ("plugin.failed", "failing")
    assert Path(__file__).name in record["frames"][-1]
    assert CANARY not in f"{log}{caught.value}"
    assert caught.value.__context__ is None


class Forgetful(Failing):
    """Builds, and returns nothing."""

    @override
    def build(self, settings: SettingsGroup, context: object) -> StoreParts:
        return None  # type: ignore[return-value]


def test_a_plugin_that_builds_something_else_is_named_with_the_type() -> None:
    chosen = ChosenStore(Forgetful(RuntimeError()), SettingsGroup())

    with pytest.raises(SettingsError, match="A failing store builds is of type NoneType, not Stor"):
        ask_to_build(chosen)


def test_what_a_plugin_refuses_is_said_in_its_own_words() -> None:
    refusal = PluginError("must name a folder.", setting="FAILING_STORE_PATH")

    with capture_logs() as log, pytest.raises(SettingsError, match="FAILING_STORE_PATH must name"):
        ask_to_build(ChosenStore(Failing(refusal), SettingsGroup()))

    assert log == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"raise ValueError('{CANARY}')", "raises ValueError at "),
        ("import no_such_module_of_any", "ModuleNotFoundError for no_such_module_of_any at "),
        ("", "raises AttributeError for PLUGIN."),
    ],
)
def test_a_plugin_that_does_not_load_is_said_and_logged_on_stderr_alone(
    content: str,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "absent_parts.py").write_text(f"{content}\n")
    monkeypatch.syspath_prepend(tmp_path)
    found: Any = (
        EntryPoint("folder", "absent_parts:PLUGIN", Kind.STORE.group),
        EntryPoint("nats", "adapters.nats.plugin:PLUGIN", Kind.TRANSPORT.group),
    )
    monkeypatch.setattr(plugins, "_installed", lambda: found)
    monkeypatch.setenv("SECRET_STORE", "folder")
    monkeypatch.delitem(sys.modules, "absent_parts", raising=False)

    assert main([]) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    record = json.loads(captured.err.splitlines()[0])
    assert (record["event"], record["plugin"]) == ("plugin.not_loaded", "folder")
    assert CANARY not in captured.err


def test_a_plugin_that_needs_a_missing_package_names_it_and_the_setting_that_chose_it() -> None:
    chosen = ChosenStore(Needy(RuntimeError()), SettingsGroup())

    with pytest.raises(SettingsError) as caught:
        ask_to_build(chosen)

    (problem,) = caught.value.problems
    assert problem.setting == "SECRET_STORE"
    assert "needs the package no_such_package, which is not installed" in problem.advice
    assert "requirements.txt" in problem.advice
