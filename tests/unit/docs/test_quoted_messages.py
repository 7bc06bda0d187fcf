"""Messages that the documents quote are the service's own words."""

from __future__ import annotations

import re

import pytest

from tests.unit.docs.documents import (
    README,
    TROUBLESHOOTING,
    code_blocks,
    code_texts,
    first_cells,
    section,
)


def messages() -> list[str]:
    cells = first_cells(section(TROUBLESHOOTING, "What the service says"))
    return [message for cell in cells for message in re.findall(r"`([^`]+)`", cell)]


def pieces(message: str) -> list[str]:
    """Return what a message consists of between its gaps, in the words of one literal each."""
    return [piece for part in re.split(r"…:?", message) if (piece := part.strip())]


@pytest.mark.parametrize("message", messages())
def test_a_quoted_message_stands_in_the_code(message: str) -> None:
    for piece in pieces(message):
        assert any(piece in text for text in code_texts()), piece


def test_there_are_messages_to_check() -> None:
    assert len(messages()) > 20


def test_the_demos_output_is_that_of_the_demo() -> None:
    (demo,) = [block for block in code_blocks(README, "text") if block.startswith("wasmCloud")]
    headings = re.findall(r"^\d\. (.+)$", demo, re.MULTILINE)

    assert len(headings) == 6
    for heading in headings:
        assert any(heading in text for text in code_texts()), heading
