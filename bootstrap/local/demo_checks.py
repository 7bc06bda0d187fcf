"""The demo does not only print: it holds each claim against what really happened."""

from __future__ import annotations


class DemoFailedError(Exception):
    """Something is not as the demo says; the text tells what."""


def check(claim: bool, otherwise: str) -> None:  # noqa: FBT001  it reads as `assert` does
    """Hold one claim against what happened.

    Raises:
        DemoFailedError: it does not hold.
    """
    if not claim:
        raise DemoFailedError(otherwise)
