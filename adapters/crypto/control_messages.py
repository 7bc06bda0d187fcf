"""Messages between replicas of one service, authenticated by a key that only they have.

NATS permissions name who may publish on a control subject, but JetStream publishes wherever a
request to it says. A message is therefore authenticated by a key that is derived from the server
xkey, which all replicas share and no other party has:

    wsc1.<milliseconds since the epoch>.<32 hexadecimal digits>.<HMAC-SHA256> newline <body>

The HMAC covers the subject, the time, the number drawn for this message, and the body. A message is
taken once, on the subject it was made for, and only within a minute.
"""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from hashlib import sha256
from hmac import compare_digest, digest
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ports.clock import Clock

PURPOSE: Final = b"wasmcloud-secrets control messages v1"
"""What the key is derived for; see `SodiumXKeyPair.derive`."""

WINDOW_SECONDS: Final = 60.0
"""The age of a message beyond which it is refused, and what clocks may differ by."""

MAX_BYTES: Final = 64 * 1024

_CAPACITY = 4096
_MESSAGE = re.compile(rb"wsc1\.([0-9]{1,15})\.([0-9a-f]{32})\.([0-9a-f]{64})\n(.*)", re.DOTALL)


class ControlMessageRefusedError(ValueError):
    """The message is not taken; its text is `malformed`, `forged`, `outdated` or `repeated`."""


@final
class ControlCodec:
    """Makes and reads control messages; one for all subjects of a process. `keys`: 32 bytes each,
    derived from the server xkeys: messages are made with the first and read with any, so that
    replicas understand each other while the xkey is rotated.
    """

    __slots__ = ("__keys", "_clock", "_seen")

    def __init__(self, keys: Sequence[bytes], clock: Clock) -> None:
        self.__keys = tuple(keys)
        self._clock = clock
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def wrap(self, subject: str, body: bytes) -> bytes:
        """Return the message that carries `body` on that subject."""
        time = str(int(self._clock.now() * 1000)).encode("ascii")
        number = secrets.token_hex(16).encode("ascii")
        mac = _mac(self.__keys[0], subject, time, number, body)
        return b"wsc1.%s.%s.%s\n%s" % (time, number, mac, body)

    def unwrap(self, subject: str, message: bytes) -> bytes:
        """Return the body of a message that a replica of this service made for that subject.

        Raises:
            ControlMessageRefusedError: it is none, or too old, or was taken before.
        """
        found = _MESSAGE.fullmatch(message) if len(message) <= MAX_BYTES else None
        if found is None:
            raise ControlMessageRefusedError("malformed")
        time, number, mac, body = found.groups()
        expected = [_mac(key, subject, time, number, body) for key in self.__keys]
        if not any([compare_digest(mac, own) for own in expected]):  # noqa: C419  all of them, always
            raise ControlMessageRefusedError("forged")
        if abs(self._clock.now() - int(time) / 1000) > WINDOW_SECONDS:
            raise ControlMessageRefusedError("outdated")
        if number in self._seen:
            raise ControlMessageRefusedError("repeated")
        self._seen[number] = None
        if len(self._seen) > _CAPACITY:
            self._seen.popitem(last=False)
        return body


def _mac(key: bytes, subject: str, time: bytes, number: bytes, body: bytes) -> bytes:
    covered = b"\0".join((subject.encode(), time, number, body))
    return digest(key, covered, sha256).hex().encode("ascii")
