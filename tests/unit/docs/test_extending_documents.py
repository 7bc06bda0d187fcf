"""What the pages on plug-ins show stands in the examples, and what they promise is exported."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.unit.docs.documents import ROOT, code_blocks
from wasmcloud_secrets import extension, http, testing

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

EXTENDING = ROOT / "docs" / "extending.md"
PAGES = {
    ROOT / "docs" / "adding-a-store.md": ("folder-store", "etcd-store"),
    ROOT / "docs" / "adding-a-transport.md": ("http-transport",),
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
@pytest.mark.parametrize("language", ["python", "toml"])
def test_every_block_is_a_part_of_an_example(page: Path, language: str) -> None:
    files = [
        path.read_text("utf-8")
        for example in PAGES[page]
        for path in (ROOT / "examples" / example).rglob("*")
        if path.suffix in {".py", ".toml"}
    ]
    blocks = code_blocks(page, language)

    assert blocks
    for block in blocks:
        assert any(dedent(block).strip() in dedent_each(file, block) for file in files), block


def dedent_each(file: str, block: str) -> str:
    """Return the file with as much indentation taken away as the block lost in the page."""
    first = dedent(block).strip().splitlines()[0]
    found = re.search(rf"^( *){re.escape(first)}$", file, re.MULTILINE)
    return re.sub(rf"^ {{0,{len(found[1])}}}", "", file, flags=re.MULTILINE) if found else file


def test_every_name_that_the_pages_give_is_exported() -> None:
    text = "".join(path.read_text("utf-8") for path in (*PAGES, EXTENDING))
    named = set(
        re.findall(r"`([A-Z][A-Za-z]+(?:Error|Parts|Context|Contract|Plugin|Route|Group))`", text)
    )

    assert named
    assert named <= {*extension.__all__, *testing.__all__}


@pytest.mark.parametrize("module", [extension, http, testing], ids=["extension", "http", "testing"])
def test_what_is_exported_is_there_and_sorted(module: ModuleType) -> None:
    assert sorted(module.__all__, key=_constants_first) == list(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)


def _constants_first(name: str) -> tuple[bool, str]:
    return (not name.isupper(), name)
