"""Seeds where none should be."""

from __future__ import annotations

import re

_XKEY_SEED = re.compile(r"(?<![A-Z2-7])SX[A-Z2-7]{56}(?![A-Z2-7])")


def shows_xkey_seed(text: str) -> bool:
    """Say whether a text holds an xkey's seed; the two letters alone stand in public keys too."""
    return _XKEY_SEED.search(text) is not None
