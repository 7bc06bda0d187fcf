"""Manifests as the real tools render them, and the schemas of the Kubernetes API."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.deploy.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

kubernetes_validate = pytest.importorskip(
    "kubernetes_validate", reason="`make deploy-test` installs what these tests need"
)

CHART = ROOT / "deploy" / "helm" / "wasmcloud-secrets"
OLDEST, NEWEST = "1.29", "1.36"
OF_OPERATORS = {"PodMonitor"}
"""Kinds whose schema is an operator's own."""

Manifests = dict[tuple[str, str], dict[str, Any]]


def render(helm: str, tmp_path: Path, values: Mapping[str, Any]) -> Manifests:
    """Render the chart as release `shop` in the namespace `platform`, by kind and name.

    Raises:
        subprocess.CalledProcessError: helm refused the values; `stderr` says why.
    """
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(dict(values)), "utf-8")
    arguments = ["--namespace", "platform", "--kube-version", NEWEST, "--values", str(file)]
    return parsed(run([helm, "template", "shop", str(CHART), *arguments]))


def run(command: Sequence[str]) -> str:
    """Run a tool and return what it prints."""
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout


def parsed(text: str) -> Manifests:
    """Return each document by its kind and `namespace/name`."""
    documents = [document for document in yaml.safe_load_all(text) if document]
    found = {
        (
            document["kind"],
            "/".join(
                filter(None, (document["metadata"].get("namespace"), document["metadata"]["name"]))
            ),
        ): document
        for document in documents
    }
    assert len(found) == len(documents), "two documents have one name"
    return found


def check_schemas(manifests: Manifests) -> None:
    """Hold each document to the strict schemas of the oldest and the newest API supported.

    Raises:
        kubernetes_validate.ValidationError: a member is unknown, missing or of another type.
    """
    for (kind, _), document in manifests.items():
        if kind not in OF_OPERATORS:
            for version in (OLDEST, NEWEST):
                kubernetes_validate.validate(document, version, strict=True)
