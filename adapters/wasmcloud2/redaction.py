"""Values taken out of a text, at a cost that grows with the text and not with their number."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

REDACTED: Final = "[redacted]"

_HEAD: Final = 4
"""Characters by which a value is looked up. Shorter ones are looked for as whole words only: each
text holds their characters."""

_PLAIN: Final = re.compile(r"[ !#-\[\]-~]*", re.ASCII)
"""What JSON and Rust's debug format write as it is."""

_WORD: Final = re.compile(r"\w")


@final
class Redaction:
    """Finds values as they are, as JSON writes them, and as Rust's debug format does.

    A host chooses how long its answer is, and an operator how many secrets it was given: one search
    for each of them, or one expression of all, holds the relay up for minutes.
    """

    def __init__(self, values: Iterable[str]) -> None:
        self._by_head: dict[str, list[str]] = {}
        self._short: set[str] = set()
        for form in {form for value in values for form in _forms(value) if form}:
            if len(form) < _HEAD:
                self._short.add(form)
            else:
                self._by_head.setdefault(form[:_HEAD], []).append(form)
        for forms in self._by_head.values():
            # The longest first, so that no part of a value stays beside the mark.
            forms.sort(key=len, reverse=True)
        self._lengths = sorted({len(form) for form in self._short}, reverse=True)
        first = "".join({re.escape(form[0]) for form in self._short})
        self._begins_short = re.compile(rf"(?<!\w)(?=[{first}])") if first else None

    def __bool__(self) -> bool:
        return bool(self._by_head or self._short)

    def clear(self, text: str) -> str:
        """Return the text with each value replaced; the same one if it holds none."""
        pieces: list[str] = []
        start = 0
        for place in self._places(text):
            if place < start:
                continue
            forms = self._by_head.get(text[place : place + _HEAD], ())
            if size := self._long(forms, text, place) or self._whole_word(text, place):
                pieces += (text[start:place], REDACTED)
                start = place + size
        return "".join((*pieces, text[start:])) if pieces else text

    def _places(self, text: str) -> list[int]:
        """Return where a value may begin."""
        heads = self._by_head
        # A comprehension, since this is looked at for each character.
        places = [at for at in range(len(text)) if text[at : at + _HEAD] in heads] if heads else []
        if self._begins_short is None:
            return places
        return sorted({*places, *(found.start() for found in self._begins_short.finditer(text))})

    @staticmethod
    def _long(forms: Sequence[str], text: str, place: int) -> int:
        return next((len(form) for form in forms if text.startswith(form, place)), 0)

    def _whole_word(self, text: str, place: int) -> int:
        if place and _WORD.match(text, place - 1):
            return 0
        for length in self._lengths:
            end = place + length
            if text[place:end] in self._short and not _WORD.match(text, end):
                return length
        return 0


def _forms(value: str) -> Iterator[str]:
    yield value
    if _PLAIN.fullmatch(value):
        return
    for ascii_only in (True, False):
        yield json.dumps(value, ensure_ascii=ascii_only)[1:-1]
    yield (
        value.replace("\\", "\\\\")
        .replace('"', '\\"')
        .replace("\n", "\\n")
        .replace("\r", "\\r")
        .replace("\t", "\\t")
    )
