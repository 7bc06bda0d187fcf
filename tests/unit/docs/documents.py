"""The project's documents and its source code, as the tests in this folder read them."""

from __future__ import annotations

import ast
import re
from functools import cache
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
README = ROOT / "README.md"
SETTINGS_PAGE = ROOT / "docs" / "settings.md"
TROUBLESHOOTING = ROOT / "docs" / "troubleshooting.md"
OPERATIONS = ROOT / "docs" / "operations.md"
ADRS = ROOT / "docs" / "adr"
PACKAGES = ("domain", "ports", "adapters", "bootstrap")

_LOGGING_CALL = re.compile(r"log\.(debug|info|warning|error|exception)\b")
_EVENT = re.compile(r"[a-z_]+\.[a-z_]+")


def documents() -> list[Path]:
    """Return every document that people read, tests' own notes left out."""
    return sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")})


def name_of(document: Path) -> str:
    """Return a document's path as a reader would say it."""
    return document.relative_to(ROOT).as_posix()


def code_blocks(document: Path, language: str = "") -> list[str]:
    """Return a document's fenced blocks in one language, without the fences."""
    found = re.findall(
        r"^```(\w*)\n(.*?)^```", document.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return [block for tag, block in found if tag == language]


def prose(document: Path) -> str:
    """Return a document without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def inline_code(document: Path) -> list[str]:
    """Return what stands between backticks, fenced blocks left out."""
    return re.findall(r"`([^`\n]+)`", prose(document))


def section(document: Path, heading: str) -> str:
    """Return what stands below a second-level heading."""
    parts = re.split(r"^## (.+)\n", document.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[heading]


def first_cells(table: str) -> list[str]:
    """Return each row's first cell, the heading's left out."""
    rows = [line for line in table.splitlines() if line.startswith("|")]
    return [row.split("|")[1].strip() for row in rows[2:]]


@cache
def code_texts() -> tuple[str, ...]:
    """Return every text literal in the source; placeholders of f-strings read as "…"."""
    return tuple(chain.from_iterable(map(_texts, _sources())))


@cache
def log_events() -> frozenset[str]:
    """Return the name of every event that some line of the source logs."""
    calls = (node for path in _sources() for node in nodes(path) if isinstance(node, ast.Call))
    return frozenset(
        event
        for call in calls
        if call.args and _LOGGING_CALL.search(ast.unparse(call.func))
        if (event := _text_of(call.args[0])) and _EVENT.fullmatch(event)
    )


@cache
def nodes(source: Path) -> tuple[ast.AST, ...]:
    """Return every node of a source file; parsed once, whatever is looked for."""
    found: list[ast.AST] = [ast.parse(source.read_text("utf-8"))]
    for node in found:  # which grows meanwhile
        for name in node._fields:
            child = getattr(node, name, None)
            if isinstance(child, ast.AST):
                found.append(child)
            elif type(child) is list:
                found.extend(each for each in child if isinstance(each, ast.AST))
    return tuple(found)


def _sources() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def _texts(source: Path) -> list[str]:
    found = []
    for node in nodes(source):
        if isinstance(node, ast.JoinedStr):
            found.append("".join(_text_of(part) or "…" for part in node.values))
        elif text := _text_of(node):
            found.append(text)
    return found


def _text_of(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
