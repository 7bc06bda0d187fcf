"""Commands that the documents tell people to type exist."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import typer.main

from bootstrap.cli import app
from tests.unit.docs.documents import ROOT, documents, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAKE = re.compile(r"(?:^ {4}|`)make ([a-z][a-z0-9-]*)", re.MULTILINE)
_MODULE = re.compile(r"python -m ((?:bootstrap|tests)[\w.]*)")
_COMMAND = re.compile(r"(?:^\$? *|`|/)wasmcloud-secrets((?: [a-z][a-z0-9-]*)+)", re.MULTILINE)


def found(pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Yield all that matches in the documents, with the document's name."""
    for document in documents():
        for text in pattern.findall(document.read_text("utf-8")):
            yield text, name_of(document)


def test_every_make_target_exists() -> None:
    targets = re.findall(
        r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE
    )

    assert {(target, name) for target, name in found(_MAKE) if target not in targets} == set()


def test_every_module_that_is_run_exists() -> None:
    for module, name in found(_MODULE):
        assert find_spec(module) is not None, (module, name)


def test_every_sub_command_exists() -> None:
    root: Any = typer.main.get_command(app)
    for words, name in found(_COMMAND):
        command = root
        for word in words.split():
            if not hasattr(command, "commands"):
                break  # the rest are arguments
            assert word in command.commands, (f"wasmcloud-secrets{words}", name)
            command = command.get_command(None, word)
