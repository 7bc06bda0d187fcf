"""A package of the same name that another distribution has installed is found at the start."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import domain
from bootstrap.main import main
from bootstrap.own_packages import foreign_packages

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_this_environments_packages_are_the_services_own() -> None:
    assert foreign_packages() is None


def test_a_package_from_elsewhere_is_named_with_its_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = ModuleType("domain")
    other.__file__ = str(tmp_path / "domain" / "__init__.py")
    vars(other)["OWNER"] = "wasmcloud-secrets"
    monkeypatch.setitem(sys.modules, "domain", other)

    advice = foreign_packages() or ""

    assert "'domain'" in advice
    assert str(tmp_path) in advice


def test_a_package_that_was_overwritten_in_place_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(domain, "OWNER")
    monkeypatch.setattr("bootstrap.main.harden_process", lambda **_: None)

    assert main([]) == 2

    assert "another distribution's" in capsys.readouterr().err


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ports", None)

    assert "'ports' is missing" in (foreign_packages() or "")
