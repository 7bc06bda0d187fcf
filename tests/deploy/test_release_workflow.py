"""The release workflow, by a linter, and what it must not say or do."""

from __future__ import annotations

import re

import yaml

from tests.deploy.conftest import ROOT
from tests.deploy.rendering import run
from tools.pins import PYTHONS

WORKFLOW = ROOT / ".github" / "workflows" / "release.yml"


def test_a_linter_has_nothing_to_say(actionlint: str) -> None:
    assert run([actionlint, "-no-color", "-shellcheck=", "-pyflakes=", str(WORKFLOW)]) == ""


def test_every_supported_python_is_tested() -> None:
    jobs = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]

    assert tuple(jobs["test"]["strategy"]["matrix"]["python"]) == PYTHONS


def test_no_registry_is_named() -> None:
    assert not re.search(r"https?://|repository-url|\bpypi\.org", WORKFLOW.read_text("utf-8"))


def test_only_publishing_gets_an_identity_and_nothing_may_write() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    permissions = {name: job["permissions"] for name, job in workflow["jobs"].items()}

    assert workflow["permissions"] == {}
    assert permissions == {
        "test": {"contents": "read"},
        "build": {"contents": "read"},
        "publish": {"id-token": "write"},
    }
