"""As much of PromQL as it takes to find what an expression names."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORDS = frozenset(
    {
        *("sum", "min", "max", "topk", "by", "on", "and", "unless", "absent"),
        *("rate", "increase", "histogram_quantile", "label_values", "time"),
    }
)
_LABELS_OF_SCRAPES = frozenset({"instance", "job", "le"})

_GROUPING = re.compile(r"\b(?:by|on)\s*\(([^()]*)\)")
_SELECTOR = re.compile(r"([a-zA-Z_]\w*)\s*(?:\{([^{}]*)\})?\s*(?:\[([^\]]*)\])?")
_MATCHER = re.compile(r'\s*(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"\s*')
_DURATION = re.compile(r"\d+[smhd]|\$__rate_interval")
_PAIRS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Selector:
    """One metric as an expression names it.

    Attributes:
        matched: what each label is compared with; alternatives of a pattern are taken apart.
    """

    metric: str
    matched: dict[str, tuple[str, ...]]
    window: str | None


@dataclass(frozen=True, slots=True)
class Expression:
    """What an expression names."""

    selectors: tuple[Selector, ...]
    grouped_by: frozenset[str]


def read(text: str) -> Expression:
    """Take an expression apart.

    Raises:
        ValueError: brackets or quotes do not match, or something in it cannot be read.
    """
    _check_brackets(text)
    groups = [group for found in _GROUPING.findall(text) for group in found.split(",")]
    rest = _GROUPING.sub(" ", text)
    selectors = []
    for metric, matchers, window in _SELECTOR.findall(rest):
        if metric in _WORDS | _LABELS_OF_SCRAPES:
            continue
        if window and not _DURATION.fullmatch(window):
            raise ValueError(f"no duration: [{window}]")
        selectors.append(Selector(metric, _matched(matchers), window or None))
    return Expression(tuple(selectors), frozenset(group.strip() for group in groups))


def _matched(matchers: str) -> dict[str, tuple[str, ...]]:
    matched = {}
    for matcher in filter(str.strip, matchers.split(",")):
        found = _MATCHER.fullmatch(matcher)
        if found is None:
            raise ValueError(f"no matcher: {matcher}")
        label, operator, value = found.groups()
        matched[label] = tuple(value.split("|")) if "~" in operator else (value,)
    return matched


def _check_brackets(text: str) -> None:
    if text.count('"') % 2:
        raise ValueError("a quote does not end")
    opened: list[str] = []
    for char in re.sub(r'"[^"]*"', "", text):
        if char in _PAIRS.values():
            opened.append(char)
        elif char in _PAIRS and (not opened or opened.pop() != _PAIRS[char]):
            raise ValueError(f"{char} ends nothing")
    if opened:
        raise ValueError(f"{opened[-1]} does not end")
