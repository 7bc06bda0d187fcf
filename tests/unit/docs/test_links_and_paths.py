"""Every link inside the project leads somewhere, and every path that is named exists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.unit.docs.documents import ADRS, ROOT, documents, inline_code, name_of, prose

if TYPE_CHECKING:
    from pathlib import Path

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_PATH = re.compile(
    r"(?:\.ci|adapters|bootstrap|docs|domain|ports|tests)(?:/[\w.-]+)+|[\w-]+\.(?:md|toml|txt)"
)


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub gives a document's headings."""
    return {
        re.sub(r"[^\w -]", "", heading.replace("`", "")).strip().lower().replace(" ", "-")
        for heading in _HEADING.findall(prose(document))
    }


def is_broken(link: str, document: Path) -> bool:
    path, _, anchor = link.partition("#")
    target = (document.parent / path).resolve() if path else document
    if not target.exists() or not target.is_relative_to(ROOT):
        return True
    return bool(anchor) and anchor not in anchors(target)


def test_every_relative_link_leads_somewhere() -> None:
    broken = [
        f"{name_of(document)}: {link}"
        for document in documents()
        for link in _LINK.findall(prose(document))
        if not re.match(r"https?://|mailto:", link) and is_broken(link, document)
    ]

    assert broken == []


def test_every_path_that_is_named_exists() -> None:
    missing = [
        f"{name_of(document)}: {text}"
        for document in documents()
        for text in inline_code(document)
        if _PATH.fullmatch(text)
        and not ((ROOT / text).exists() or (document.parent / text).exists())
    ]

    assert missing == []


def test_every_decision_record_has_a_number_of_its_own() -> None:
    names = [path.name for path in ADRS.glob("*.md")]
    numbers = [name[:4] for name in names]

    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name) for name in names)
    assert len(set(numbers)) == len(numbers)


def test_every_decision_record_says_what_was_decided_and_what_follows() -> None:
    for record in ADRS.glob("*.md"):
        text = record.read_text("utf-8")

        assert {"Context", "Decision", "Consequences"} <= set(_HEADING.findall(text)), record.name
        assert "\nStatus: " in text, record.name


def test_the_readme_stays_short_enough_to_be_read_whole() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 220
