"""One version, wherever it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from bootstrap.version import __version__
from tests.deploy.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

CHART = yaml.safe_load((ROOT / "deploy/helm/wasmcloud-secrets/Chart.yaml").read_text("utf-8"))


def test_the_chart_is_of_the_same_version() -> None:
    assert (CHART["version"], CHART["appVersion"]) == (__version__, __version__)


def test_the_changelog_has_the_version() -> None:
    assert f"\n## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize(
    "file",
    [
        ROOT / "deploy/kustomize/example/kustomization.yaml",
        ROOT / "deploy/nomad/wasmcloud-secrets.nomad.hcl",
        ROOT / "docs/container-image.md",
        ROOT / "docs/operations.md",
        ROOT / "docs/systemd.md",
    ],
    ids=lambda path: path.name,
)
def test_examples_name_the_version(file: Path) -> None:
    assert __version__ in file.read_text("utf-8")
