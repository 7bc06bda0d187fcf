"""Patterns against texts: as the expression they stand for, at a few looks a character."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from domain.model.patterns import MAX_PATTERN_PARTS, InvalidPatternError, PathPattern, TextPattern
from fuzz.choices import Choices
from fuzz.session import hold
from tests.support.counted_text import CountedText, Work

_LETTERS: Final = "ab-*/\n\u202e."
_COMPARED: Final = 14
"""Longer texts are not given to the expression, which would backtrack for minutes."""

_LOOKS: Final = 4
_PATH_LOOKS: Final = _LOOKS * MAX_PATTERN_PARTS


@dataclass
class PatternSession:
    """One pattern and text after the other.

    Attributes:
        sent: how many there were.
        outcomes: how often they matched, did not, or were refused.
    """

    sent: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def close(self) -> None:
        """Nothing is open."""

    def attack(self, data: bytes) -> None:
        """Compare the one pair these bytes stand for.

        Raises:
            Exception: a promise was broken.
        """
        self.sent += 1
        choices = Choices(data)
        is_path = choices.below(2) == 1
        written = _text(choices, choices.below(12))
        text = _text(choices, choices.below(_COMPARED)).replace("*", "a")
        try:
            pattern = PathPattern(f"/{written}") if is_path else TextPattern(written)
        except InvalidPatternError:
            self.outcomes["refused"] += 1
            return
        text = f"/{text}" if is_path else text
        matched = pattern.matches(text)
        expected = re.fullmatch(_expression(pattern), text, re.DOTALL) is not None
        hold(matched == expected, "a pattern means what its expression means")
        work, long = Work(), text * (1 + choices.below(200))
        pattern.matches(CountedText(long, work))
        looks = _PATH_LOOKS if is_path else _LOOKS
        hold(work.characters <= looks * (len(long) + len(written) + 1), "work grows as the text")
        self.outcomes[
            ("path " if is_path else "text ") + ("matched" if matched else "differed")
        ] += 1


def _text(choices: Choices, length: int) -> str:
    return "".join(choices.of(_LETTERS) for _ in range(length))


def _expression(pattern: PathPattern | TextPattern) -> str:
    if isinstance(pattern, TextPattern):
        return ".*".join(map(re.escape, pattern.text.split("*")))
    parts = (
        "[^/]+(?:/[^/]+)*" if part == "**" else "[^/]*".join(map(re.escape, part.split("*")))
        for part in pattern.text[1:].split("/")
    )
    return "/" + "/".join(parts)
