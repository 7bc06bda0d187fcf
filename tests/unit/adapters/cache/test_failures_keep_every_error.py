"""The copy of an error for one more request says the same, of each class."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

import pytest

import adapters
import bootstrap
import domain
from domain.model.errors import SecretsError

if TYPE_CHECKING:
    from types import ModuleType


def _import_all(package: ModuleType) -> None:
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _below(kind: type[SecretsError]) -> list[type[SecretsError]]:
    return [kind, *(each for sub in kind.__subclasses__() for each in _below(sub))]


def _every_kind() -> list[type[SecretsError]]:
    for package in (domain, adapters, bootstrap):
        _import_all(package)
    ours = (domain.__name__, adapters.__name__, bootstrap.__name__)
    kinds = {kind for kind in _below(SecretsError) if kind.__module__.split(".")[0] in ours}
    return sorted(kinds, key=lambda kind: kind.__qualname__)


@pytest.mark.parametrize("kind", _every_kind(), ids=lambda kind: kind.__name__)
def test_a_copy_has_the_class_the_text_and_all_else(kind: type[SecretsError]) -> None:
    error = kind("Do this.", reason="why", upstream_request_id="id", retry_after=3.5)

    copy = error.again()

    assert copy is not error
    assert type(copy) is kind
    assert str(copy) == copy.advice == "Do this."
    assert (copy.reason, copy.upstream_request_id, copy.retry_after) == ("why", "id", 3.5)


@pytest.mark.parametrize("kind", _every_kind(), ids=lambda kind: kind.__name__)
def test_an_error_without_a_reason_keeps_that_of_its_class(kind: type[SecretsError]) -> None:
    assert kind("Do this.").again().reason == kind.default_reason
