"""Checking signed audit events: their signatures, and that none is missing between them."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, final

from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey

from adapters.audit.signing import DOMAIN, digest_of
from adapters.crypto import base64url

if TYPE_CHECKING:
    from collections.abc import Sequence

REMEMBERED: Final = 4096
"""The latest events of a chain that are known again: an outage can have one written twice."""

_SIGNED = re.compile(rb'(\{.*),"signature":"([A-Za-z0-9_-]{86})"\}', re.DOTALL)


class KeyUnusableError(ValueError):
    """A public key cannot be read; the text says what it must be."""


@dataclass(slots=True)
class Chain:
    """What one process wrote into one sink, as far as it was seen.

    Attributes:
        first: the lowest number seen; more than 1 if older events were removed.
        last: the highest.
        repeated: events that stand there again.
        late: events that stand behind one with a higher number.
        gaps: first and last number of each run between them that was not seen.
    """

    first: int
    last: int
    repeated: int = 0
    late: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)
    _digests: OrderedDict[int, str] = field(default_factory=OrderedDict)

    def add(self, link: int, previous: str, digest: str) -> str | None:
        """Note an event, and return how it contradicts those that were seen.

        One that comes late fills its gap: after an outage events may be written again.
        """
        known = self._digests.get(link)
        if known is not None:
            self.repeated += 1
            return None if known == digest else f"contradicts another event {link} of its chain"
        if link > self.last + 1:
            self.gaps.append((self.last + 1, link - 1))
        elif link < self.first - 1:
            self.gaps.append((link + 1, self.first - 1))
        self._fill(link)
        self.late += link < self.last
        self.first, self.last = min(self.first, link), max(self.last, link)
        self._digests[link] = digest
        if len(self._digests) > REMEMBERED:
            self._digests.popitem(last=False)
        before = self._digests.get(link - 1)
        if before is not None and before != previous:
            return f"does not follow event {link - 1} of its chain"
        return None

    def _fill(self, link: int) -> None:
        for place, (start, end) in enumerate(self.gaps):
            if start <= link <= end:
                parts = (start, link - 1), (link + 1, end)
                self.gaps[place : place + 1] = [part for part in parts if part[0] <= part[1]]
                return


@final
class TrailVerifier:
    """Takes the lines of one file or stream, in their order. `public_keys`: of the service's server
    xkeys, in base64url, as `audit.signing` logs them. `chains`: what was seen, by the chains'
    names.

    Raises:
        KeyUnusableError: a key is none.
    """

    def __init__(self, public_keys: Sequence[str]) -> None:
        self._keys = [_key(text) for text in public_keys]
        self.chains: dict[str, Chain] = {}

    def check(self, line: bytes) -> str | None:
        """Return what is wrong with the line itself; `missing` tells what is not there."""
        found = _SIGNED.fullmatch(line)
        if found is None:
            return "is not signed"
        signed, signature = found.groups()
        if not self._is_genuine(signed, base64url_decoded(signature)):
            return "was changed, or signed with another key"
        # Genuine, so it is as LineSigner wrote it.
        event = json.loads(line)
        name, link = event["chain"], event["link"]
        chain = self.chains.setdefault(name, Chain(first=link, last=link))
        return chain.add(link, event["previous"], digest_of(line))

    def missing(self) -> list[str]:
        """Return which events are not there, between those that are, once all lines were taken."""
        return [
            f"events {start} to {end} of chain {name} are missing"
            for name, chain in self.chains.items()
            for start, end in chain.gaps
        ]

    def _is_genuine(self, signed: bytes, signature: bytes) -> bool:
        for key in self._keys:
            try:
                key.verify(DOMAIN + signed, signature)
            except (CryptoError, ValueError):
                continue
            return True
        return False


def base64url_decoded(text: bytes) -> bytes:
    """Return the bytes, or none where the text is no base64url."""
    try:
        return base64url.decode(text.decode("ascii"))
    except base64url.InvalidBase64UrlError:
        return b""


def _key(text: str) -> VerifyKey:
    try:
        return VerifyKey(base64url.decode(text))
    except (base64url.InvalidBase64UrlError, CryptoError, ValueError):
        pass
    raise KeyUnusableError(
        "A key must be the 43 characters that the service logs as public_key of audit.signing."
    )
