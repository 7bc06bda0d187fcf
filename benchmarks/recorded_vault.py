"""An OpenBao that answers as recorded, after a while."""

from __future__ import annotations

from typing import Final, final

from typing_extensions import override

from adapters.crypto import base64url
from benchmarks.recorded_http import RecordedHttp, encoded
from tests.support.vault_recordings import recording

READ: Final = "inline_jwt_read_ok"
MOUNT: Final = "detect_v2"
KNOWS_INLINE: Final = "inline_jwt_role_missing"
"""What a server that knows inline authentication answers to a login that must fail."""

_NO_ROLE: Final = base64url.encode(b'{"key":"role","value":"no-role"}').encode("ascii")
"""By this role the service finds out what the server knows."""


@final
class RecordedVault(RecordedHttp):
    """Attributes: `reads`, how many secrets were asked for."""

    def __init__(self, latency: float) -> None:
        super().__init__(latency)
        self.reads = 0
        self._read, self._mount, self._inline = map(_response, (READ, MOUNT, KNOWS_INLINE))

    @override
    def response(self, head: bytes) -> bytes:
        if _NO_ROLE in head:
            return self._inline
        if b" /v1/sys/internal/ui/mounts/" in head:
            return self._mount
        self.reads += 1
        return self._read


def _response(name: str) -> bytes:
    recorded = recording(name).response
    return encoded(recorded.status, recorded.headers, recorded.body)
