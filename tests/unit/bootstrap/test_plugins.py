"""Which plug-ins can be chosen, and what is said where one cannot."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, EntryPoint
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from bootstrap.settings import SettingsError, load_configuration
from bootstrap.settings.model import every_group
from bootstrap.settings.plugins import Kind, Registry
from bootstrap.settings.variables import Variables
from ports.settings import SettingsGroup
from ports.store_plugin import StoreParts, StorePlugin
from tests.fakes.secret_store import FakeSecretStore
from tests.fakes.store_check import FakeStoreCheck

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

HERE = __name__
CANARY = "canary-51d0"


class Settings(SettingsGroup):
    """None."""


class Plugin(StorePlugin[Settings]):
    """A store of another distribution."""

    name = "folder"
    title = "A folder"
    api_version = 1
    settings = Settings

    @override
    def warnings(self, settings: Settings) -> Sequence[str]:
        return ()

    @override
    def build(self, settings: Settings, context: object) -> StoreParts:
        return StoreParts(FakeSecretStore(), FakeStoreCheck())


class Later(Plugin):
    """Written for a later version."""

    api_version = 2


class Nameless(Plugin):
    """Calls itself something else."""

    name = "vault"


class Unsettled(Plugin):
    """Has no settings model."""

    settings = dict  # type: ignore[assignment]  # on purpose


class Partial:
    """Derives from nothing, and lacks what the service reads."""

    name, api_version, settings = "folder", 1, Settings
    title = "A folder"
    warnings = build = staticmethod(tuple)


class Mute(Partial):
    """Has no name in prose."""

    needs_entity_token = False
    title = property()


GOOD, LATER, NAMELESS, UNSETTLED = Plugin(), Later(), Nameless(), Unsettled()
PARTIAL, MUTE = Partial(), Mute()


class Named(Distribution):
    """A distribution by its name alone."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    @override
    def metadata(self) -> Any:
        return {"Name": self._name}

    @override
    def read_text(self, filename: str) -> str | None:
        return None

    @override
    def locate_file(self, path: str | PathLike[str]) -> Any:
        raise NotImplementedError


def point(name: str, value: str, owner: str = "folder-store") -> EntryPoint:
    found = EntryPoint(name, value, Kind.STORE.group)
    vars(found)["dist"] = Named(owner)
    return found


def refusal(registry: Registry, name: str = "folder") -> str:
    with pytest.raises(SettingsError) as caught:
        registry.store(name)
    (problem,) = caught.value.problems
    assert problem.setting == "SECRET_STORE"
    assert caught.value.__context__ is None
    return problem.advice


def test_the_shipped_plugins_are_found_as_any_other_is() -> None:
    assert Registry().shipped(Kind.TRANSPORT) == ["nats"]
    assert set(Registry().shipped(Kind.STORE)) >= {"infisical", "nats-kv"}
    assert Registry().store("infisical").title == "Infisical"


def test_a_plugin_of_another_distribution_is_loaded_by_its_name() -> None:
    registry = Registry([point("folder", f"{HERE}:GOOD")])

    assert registry.store("folder") is GOOD
    assert registry.shipped(Kind.STORE) == []


def test_an_unknown_name_lists_those_that_are_installed() -> None:
    registry = Registry([point("folder", f"{HERE}:GOOD"), point("a-store", f"{HERE}:GOOD")])

    assert refusal(registry, "valut") == "must be one of those installed: a-store, folder."


def test_without_any_plugin_the_advice_is_to_install_the_service() -> None:
    assert "wasmcloud_secrets.stores" in refusal(Registry([]))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("no_such_module_of_any:PLUGIN", "does not load.*ModuleNotFoundError for no_such_module"),
        (f"{HERE}:NOT_THERE", "does not load.*AttributeError"),
        (f"{HERE}:LATER", "written for version 2 of the plug-ins' interface.*has version 1"),
        (f"{HERE}:NAMELESS", "installed as 'folder' and calls itself 'vault'"),
        (f"{HERE}:UNSETTLED", "has no settings model"),
        (f"{HERE}:CANARY", "is no StorePlugin: it has no .api_version."),
        (f"{HERE}:PARTIAL", "has no 'needs_entity_token', as StorePlugin has it"),
        (f"{HERE}:MUTE", "has no 'title', as StorePlugin has it"),
    ],
)
def test_a_plugin_that_cannot_be_used_says_why_and_whose_it_is(value: str, words: str) -> None:
    advice = refusal(Registry([point("folder", value)]))

    assert re.search(words, advice)
    assert "folder-store" in advice


def test_a_plugin_whose_import_fails_shows_nothing_of_the_exceptions_text(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "failing_plugin.py").write_text(f"raise ValueError('{CANARY}')\n")
    monkeypatch.syspath_prepend(tmp_path)

    assert CANARY not in refusal(Registry([point("folder", "failing_plugin:PLUGIN")]))


def test_a_plugin_that_does_not_load_is_logged_once() -> None:
    registry = Registry([point("folder", "no_such_module_of_any:PLUGIN"), *_transports()])

    with capture_logs() as logs, pytest.raises(SettingsError):
        load_configuration(Variables({"SECRET_STORE": "folder"}), registry)

    assert [record["event"] for record in logs] == ["plugin.not_loaded"]


def test_a_plugin_that_is_not_chosen_and_does_not_load_is_not_logged() -> None:
    registry = Registry(
        [
            point("folder", f"{HERE}:GOOD"),
            point("broken", "no_such_module_of_any:PLUGIN"),
            *_transports(),
        ]
    )
    given = Variables({"SECRET_STORE": "folder", "BROKEN_PATH": "x"})

    with capture_logs() as logs:
        assert load_configuration(given, registry).store.plugin is GOOD

    assert logs == []


def test_a_plugin_that_says_nothing_of_tokens_gets_none() -> None:
    assert Registry([point("folder", f"{HERE}:GOOD")]).store("folder").needs_entity_token is False


def test_two_distributions_may_not_have_one_name() -> None:
    registry = Registry(
        [point("folder", f"{HERE}:GOOD", "one"), point("folder", f"{HERE}:GOOD", "two")]
    )

    assert "one and two both install 'folder'" in refusal(registry)


def test_a_name_that_is_taken_twice_stops_the_choice_of_another_as_well() -> None:
    registry = Registry(
        [
            point("folder", f"{HERE}:GOOD"),
            point("infisical", f"{HERE}:GOOD", "a-stranger"),
            point("infisical", "adapters.infisical.plugin:PLUGIN", "wasmcloud-secrets"),
        ]
    )

    assert "a-stranger and wasmcloud-secrets both install 'infisical'" in refusal(registry)


def test_its_variables_are_read_and_documented_with_the_others() -> None:
    registry = Registry([point("folder", f"{HERE}:GOOD"), *_transports()])

    found = load_configuration(Variables({"SECRET_STORE": "Folder"}), registry)

    assert found.store.plugin is GOOD
    assert "A folder" in [group.heading for group in every_group(registry)]
    assert "A folder" not in [group.heading for group in every_group(registry, shipped=True)]


def _transports() -> list[EntryPoint]:
    return [EntryPoint("nats", "adapters.nats.plugin:PLUGIN", Kind.TRANSPORT.group)]
