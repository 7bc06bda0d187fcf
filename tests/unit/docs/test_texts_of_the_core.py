"""The core serves every transport and store, so that none of its texts names one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.unit.docs.documents import ROOT, nodes

if TYPE_CHECKING:
    from pathlib import Path

PRODUCTS = ("nats", "infisical", "vault", "kubernetes", "jetstream")


def texts_of(source: Path) -> list[str]:
    """Return the text literals that are no docstrings."""
    loose = {id(node.value) for node in nodes(source) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in nodes(source)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in loose
    ]


@pytest.mark.parametrize("package", ["domain", "ports"])
def test_no_text_of_the_core_names_a_product(package: str) -> None:
    found = [
        (path.relative_to(ROOT).as_posix(), text)
        for path in sorted((ROOT / package).rglob("*.py"))
        for text in texts_of(path)
        if any(name in text.lower() for name in PRODUCTS)
    ]

    assert found == []
