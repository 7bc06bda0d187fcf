"""What requests came to, one row of the table for each kind of fault."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks.soak.load import ANSWERED, NO_REPLY, TURNED_AWAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.soak.load import End

HEAD: Final = (
    "| fault | rounds | answered | typed errors | no responders | no reply, sent before its end |"
    " no reply, sent after | longest wait s | healed after s | worst wait then s | errors |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|"
)

SLOW_SECONDS: Final = 2.0
"""A request that is answered later than that does not count as served again."""


class Span(NamedTuple):
    """One fault: its kind, and when it began and ended, in monotonic seconds."""

    name: str
    begin: float
    end: float


@dataclass
class Row:
    """What one kind of fault came to, all its rounds together.

    Attributes:
        kinds: how often a request came to each end.
        lost_during: requests without a reply that were sent before the fault's end.
        lost_after: those that were sent later.
        longest_wait: for any end, in seconds.
        heal: seconds from the fault's end until each request sent later was answered in time.
        waits_after: the longest wait of those.
    """

    rounds: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    lost_during: int = 0
    lost_after: int = 0
    longest_wait: float = 0.0
    heal: float = 0.0
    waits_after: float = 0.0

    def add(self, ends: Iterable[End], fault_end: float) -> None:
        """Count the requests of one round."""
        self.rounds += 1
        for end in ends:
            wait, after = end.ended - end.sent, end.sent - fault_end
            self.kinds[end.kind] += 1
            self.longest_wait = max(self.longest_wait, wait)
            if end.kind in NO_REPLY:
                self.lost_during += after < 0
                self.lost_after += after >= 0
            if after >= 0 and (end.kind != ANSWERED or wait > SLOW_SECONDS):
                self.heal = max(self.heal, after)
            elif after >= 0:
                self.waits_after = max(self.waits_after, wait)

    def text(self, name: str) -> str:
        """Return it as a row of a Markdown table."""
        turned_away, answered = self.kinds[TURNED_AWAY], self.kinds[ANSWERED]
        typed = {
            kind: count
            for kind, count in sorted(self.kinds.items())
            if kind not in NO_REPLY | {ANSWERED, TURNED_AWAY}
        }
        errors = ", ".join(f"{count:,} {kind}" for kind, count in typed.items())
        return (
            f"| {name} | {self.rounds} | {answered:,} | {sum(typed.values()):,} | {turned_away:,} |"
            f" {self.lost_during:,} | {self.lost_after:,} | {self.longest_wait:.1f} |"
            f" {self.heal:.1f} | {self.waits_after:.1f} | {errors} |"
        )


def rows_of(ends: Iterable[End], spans: Sequence[Span]) -> dict[str, Row]:
    """Give each request to the latest fault that had begun before the request ended."""
    rows: dict[str, Row] = {}
    of_span: list[list[End]] = [[] for _ in spans]
    ordered = sorted(ends, key=lambda end: end.ended)
    number = 0
    for end in ordered:
        while number + 1 < len(spans) and spans[number + 1].begin <= end.ended:
            number += 1
        of_span[number].append(end)
    for span, found in zip(spans, of_span, strict=True):
        rows.setdefault(span.name, Row()).add(found, span.end)
    return rows
