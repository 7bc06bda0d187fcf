"""The names in a projected directory, which are those of a volume that the kubelet projects.

    ..2026_11_28_10_15_00.1b2c3d4e/   one generation: all files, complete, never changed
    ..data -> ..2026_11_28_…          the generation in force; replaced by one rename
    db-password -> ..data/db-password what consumers open

Nothing else in the directory is touched.
"""

from __future__ import annotations

import re
import secrets
import time
from typing import Final

DATA: Final = "..data"
NEXT_DATA: Final = "..data_tmp"

_GENERATION: Final = re.compile(r"\.\.\d{4}(_\d{2}){5}\.[0-9a-f]{8}", re.ASCII)
_LONGEST_BYTES: Final = 255


def new_generation(now: float) -> str:
    """Return a name for the generation that is made `now` seconds after the epoch."""
    return f"..{time.strftime('%Y_%m_%d_%H_%M_%S', time.gmtime(now))}.{secrets.token_hex(4)}"


def is_generation(name: str) -> bool:
    """Say whether a name is one of a generation."""
    return _GENERATION.fullmatch(name) is not None


def link_to(name: str) -> str:
    """Return where the link of a secret leads."""
    return f"{DATA}/{name}"


def name_problem(name: str) -> str | None:
    """Return why a secret cannot have this name as a file; None if it can."""
    if not name or len(name.encode("utf-8", "surrogatepass")) > _LONGEST_BYTES:
        return "a file's name has 1 to 255 bytes"
    if name.startswith("."):
        return "a wasmCloud host passes over files whose names begin with a dot"
    if "/" in name or not name.isprintable():
        return "a file's name holds neither a slash nor a character that does not show"
    return None
