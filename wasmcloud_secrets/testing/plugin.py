"""What the service relies on in every plug-in: a suite for a plug-in's own tests."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretBytes, SecretStr
from typing_extensions import override

from wasmcloud_secrets.extension import (
    API_VERSION,
    SecretReference,
    SettingsGroup,
    StoreParts,
    TransportParts,
)
from wasmcloud_secrets.testing.contexts import FakeStoreContext, FakeTransportContext

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wasmcloud_secrets.extension import StorePlugin, TransportPlugin

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_SENSITIVE = re.compile(r"(^|_)(password|secret|seed|token|api_key|private_key)$")


class _PluginContract(ABC):
    """What stores and transports have in common."""

    @abstractmethod
    def plugin(self) -> StorePlugin[Any] | TransportPlugin[Any]:
        """Return what the entry point loads to."""

    @abstractmethod
    def given(self) -> Mapping[str, Any]:
        """Return settings by field name with which the plug-in can be built."""

    def settings(self) -> SettingsGroup:
        found: SettingsGroup = self.plugin().settings.model_validate(dict(self.given()))
        return found

    def test_it_is_written_for_this_version_of_the_interface(self) -> None:
        assert self.plugin().api_version == API_VERSION

    def test_it_has_a_name_for_settings_and_a_title_for_prose(self) -> None:
        plugin = self.plugin()

        assert re.fullmatch(r"[a-z][a-z0-9-]*", plugin.name)
        assert plugin.title == plugin.title.strip() != ""

    def test_every_variable_is_in_capitals_and_has_a_description(self) -> None:
        model = self.plugin().settings

        assert issubclass(model, SettingsGroup)
        for name, variables in model.variables().items():
            assert all(_VARIABLE.fullmatch(variable) for variable in variables), name
            assert model.model_fields[name].description, name

    def test_what_is_named_as_a_secret_is_held_as_one(self) -> None:
        for name, field in self.plugin().settings.model_fields.items():
            if _SENSITIVE.search(name):
                assert _mentions(field.annotation, SecretStr, SecretBytes), name

    def test_its_warnings_are_sentences_that_name_a_setting(self) -> None:
        for advice in self.plugin().warnings(self.settings()):
            assert advice.endswith(".")
            assert _VARIABLE.search(advice)


class StorePluginContract(_PluginContract):
    """Subclass it in a test module, with fixtures behind the abstract methods."""

    group = "wasmcloud_secrets.stores"

    @abstractmethod
    @override
    def plugin(self) -> StorePlugin[Any]:
        """Return what the entry point loads to."""

    def context(self) -> FakeStoreContext:
        """Return the context to build it with; override it for what the transport shares."""
        return FakeStoreContext()

    def test_it_is_installed_under_its_own_name(self) -> None:
        _check_entry_point(self.group, self.plugin())

    async def test_it_is_built_without_a_connection_and_closed(self) -> None:
        parts = self.plugin().build(self.settings(), self.context())

        assert isinstance(parts, StoreParts)
        assert all(route.path.startswith("/") for route in parts.routes)
        assert len({route.path for route in parts.routes}) == len(parts.routes)
        assert parts.cache_ttl_seconds >= 0
        await parts.close()

    async def test_its_shape_reads_keys_as_the_store_does_and_needs_no_setting(self) -> None:
        plugin = self.plugin()
        plugin.shape({})
        shape = plugin.shape({name: str(value) for name, value in self.given().items()})
        if shape is None:
            pytest.skip("manifests are not checked without this store")
        parts = plugin.build(self.settings(), self.context())

        assert shape.locate(SecretReference("db")) == parts.store.locate(SecretReference("db"))
        await parts.close()

    async def test_its_samples_are_the_same_kind_of_figure_at_every_scrape(self) -> None:
        parts = self.plugin().build(self.settings(), self.context())

        first, second = list(parts.samples()), list(parts.samples())

        for sample in first:
            assert re.fullmatch(r"[a-z][a-z0-9_]*", sample.name)
            assert sample.meaning.endswith(".")
            assert sample.name.endswith("_total") == (sample.kind == "counter")
        assert [sample.name for sample in first] == [sample.name for sample in second]
        await parts.close()


class TransportPluginContract(_PluginContract):
    """Subclass it in a test module, with fixtures behind the abstract methods."""

    group = "wasmcloud_secrets.transports"

    @abstractmethod
    @override
    def plugin(self) -> TransportPlugin[Any]:
        """Return what the entry point loads to."""

    def test_it_is_installed_under_its_own_name(self) -> None:
        _check_entry_point(self.group, self.plugin())

    async def test_it_is_built_without_a_connection(self) -> None:
        parts = self.plugin().build(self.settings(), FakeTransportContext())

        assert isinstance(parts, TransportParts)
        assert isinstance(parts.address_of("get"), str)
        await parts.transport.stop(0)


def _check_entry_point(group: str, plugin: StorePlugin[Any] | TransportPlugin[Any]) -> None:
    points = [point for point in entry_points(group=group) if point.name == plugin.name]
    if not points:
        pytest.fail(f"install the distribution: no entry point {plugin.name!r} in {group}")
    assert len(points) == 1
    assert points[0].load() is plugin


def _mentions(annotation: Any, *kinds: type) -> bool:
    if annotation in kinds:
        return True
    return any(_mentions(part, *kinds) for part in getattr(annotation, "__args__", ()))
