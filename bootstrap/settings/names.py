"""Names that are no setting: found before they silently leave a setting at its default."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the setting that a name was probably meant to be; None if none is near.

    One edit is enough to be near: a character too many, too few or wrong, or two that are swapped.
    Where several are as near, the first in the order of the alphabet is returned.
    """
    return next((candidate for candidate in sorted(known) if _one_edit(name, candidate)), None)


def misspelt(names: Iterable[str], known: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield each name that is no setting and near to one, with that setting."""
    for name in sorted(names):
        if name not in known and (meant := nearest(name, known)) is not None:
            yield name, meant


def _one_edit(left: str, right: str) -> bool:
    if left == right or abs(len(left) - len(right)) > 1:
        return False
    short, long = sorted((left, right), key=len)
    start = next((i for i, char in enumerate(short) if char != long[i]), len(short))
    rest_short, rest_long = short[start:], long[start:]
    if len(short) != len(long):
        return rest_short == rest_long[1:]
    swapped = rest_short[:2] == rest_long[1::-1] and rest_short[2:] == rest_long[2:]
    return rest_short[1:] == rest_long[1:] or swapped
