"""Headers for a collector, as operators write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pydantic import SecretStr

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_VALUE = re.compile(r"[\x20-\x7e]+", re.ASCII)


def parse_headers(text: str) -> Mapping[str, SecretStr]:
    """Read `name=value` pairs, comma-separated or one a line, values percent-encoded.

    That is how OpenTelemetry's own variables write them (the specification's "Specifying headers
    via environment variables"), so that what a vendor's manual says can be pasted.

    Raises:
        ValueError: it cannot be read; the text says what to do and holds none of it.
    """
    headers = {}
    pairs = [pair.strip() for pair in re.split(r"[,\n]", text) if pair.strip()]
    for number, pair in enumerate(pairs, start=1):
        name, _, value = (part.strip() for part in pair.partition("="))
        decoded = unquote(value)
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(decoded):
            raise ValueError(
                f"must hold pairs such as Authorization=Bearer%20TOKEN, comma-separated; pair "
                f"{number} is none."
            )
        headers[name.lower()] = SecretStr(decoded)
    if not headers:
        raise ValueError("must hold at least one pair such as Authorization=Bearer%20TOKEN.")
    return headers
