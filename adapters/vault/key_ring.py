"""The current signing keys, and how changed ones are loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

import structlog

from adapters.system.files import read_file
from adapters.vault.signing_keys import InvalidKeyFileError, SigningKey, jwks, parse_keys
from ports.store_plugin import HttpResponse, HttpRoute

if TYPE_CHECKING:
    from pathlib import Path

    from ports.store_plugin import HttpRequest

JWKS_PATH: Final = "/vault/jwks.json"
PEM_PATH: Final = "/vault/jwt-keys.pem"
MAX_FILE_BYTES: Final = 64 * 1024

_log = structlog.get_logger()


@final
class KeyRing:
    """Holds the keys of a file."""

    def __init__(self, file: Path) -> None:
        """Read the file.

        Raises:
            InvalidKeyFileError: it cannot be read, or holds no such keys.
        """
        self._file = file
        self._keys = _read(file)

    @property
    def signer(self) -> SigningKey:
        """The key that signs now."""
        return self._keys[0]

    @property
    def keys(self) -> tuple[SigningKey, ...]:
        """All keys that are published."""
        return self._keys

    def reload(self) -> None:
        """Take up what the file holds now; what cannot be used is logged, and the keys stay."""
        try:
            keys = _read(self._file)
        except InvalidKeyFileError as error:
            _log.warning("vault.signing_keys_not_reloaded", problem=str(error))
            return
        if [key.key_id for key in keys] == [key.key_id for key in self._keys]:
            return
        self._keys = keys
        _log.info("vault.signing_keys_reloaded", signer=self.signer.key_id, count=len(keys))

    def routes(self) -> tuple[HttpRoute, ...]:
        """Return the routes that publish the public keys."""
        return (
            HttpRoute("GET", JWKS_PATH, self._answer_jwks, max_body_bytes=0),
            HttpRoute("GET", PEM_PATH, self._answer_pem, max_body_bytes=0),
        )

    async def _answer_jwks(self, _: HttpRequest) -> HttpResponse:
        return HttpResponse(200, jwks(self._keys), "application/jwk-set+json")

    async def _answer_pem(self, _: HttpRequest) -> HttpResponse:
        pems = "".join(key.public_pem() for key in self._keys)
        return HttpResponse(200, pems.encode("ascii"), "application/x-pem-file")


def _read(file: Path) -> tuple[SigningKey, ...]:
    content: bytes | None
    try:
        content = read_file(file, MAX_FILE_BYTES + 1).data
    except OSError:
        content = None
    if content is None:
        raise InvalidKeyFileError("names a file that cannot be read; check its path and mode.")
    if len(content) > MAX_FILE_BYTES:
        raise InvalidKeyFileError("names a file that is too large; keep keys alone in it.")
    return parse_keys(content.decode("ascii", "replace"))
