"""Every link inside the project leads somewhere, and every path that is named exists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

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


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    for link in _LINK.findall(prose(document)):
        if re.match(r"https?://|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_every_path_that_is_named_exists(document: Path) -> None:
    for text in inline_code(document):
        if _PATH.fullmatch(text):
            assert (ROOT / text).exists() or (document.parent / text).exists(), text


def test_every_decision_record_has_a_number_of_its_own() -> None:
    names = [path.name for path in ADRS.glob("*.md")]
    numbers = [name[:4] for name in names]

    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name) for name in names)
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("record", sorted(ADRS.glob("*.md")), ids=name_of)
def test_every_decision_record_says_what_was_decided_and_what_follows(record: Path) -> None:
    headings = _HEADING.findall(record.read_text("utf-8"))

    assert {"Context", "Decision", "Consequences"} <= set(headings)
    assert "\nStatus: " in record.read_text("utf-8")
