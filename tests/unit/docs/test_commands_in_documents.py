"""Commands that the documents tell people to type exist."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from bootstrap.cli import app
from tests.unit.docs.documents import ROOT, documents, name_of

if TYPE_CHECKING:
    from pathlib import Path

_MAKE = re.compile(r"(?:^ {4}|`)make ([a-z-]+)", re.MULTILINE)
_MODULE = re.compile(r"python -m ((?:bootstrap|tests)[\w.]*)")
_COMMAND = re.compile(r"(?:^\$? *|`|/)wasmcloud-secrets((?: [a-z][a-z-]*)+)", re.MULTILINE)


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_every_make_target_exists(document: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)

    assert set(_MAKE.findall(document.read_text("utf-8"))) <= set(targets)


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_every_module_that_is_run_exists(document: Path) -> None:
    for module in _MODULE.findall(document.read_text("utf-8")):
        assert find_spec(module) is not None, module


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_every_sub_command_exists(document: Path) -> None:
    for words in _COMMAND.findall(document.read_text("utf-8")):
        command: Any = typer.main.get_command(app)
        for word in words.split():
            if not hasattr(command, "commands"):
                break  # the rest are arguments
            assert word in command.commands, f"wasmcloud-secrets{words}"
            command = command.commands[word]
