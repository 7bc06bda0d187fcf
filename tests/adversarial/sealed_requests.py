"""Requests for attacks on what seals them."""

from __future__ import annotations

import json

from adapters.crypto.nkeys_text import KeyKind, encode_public
from tests.adversarial.defended_core import message

PLAIN = json.dumps(message()).encode()


def xkey(point: int) -> str:
    return encode_public(KeyKind.XKEY, point.to_bytes(32, "little"))
