"""The keys that sign the callers' logins: Ed25519, from a file of the operator's.

The file holds one or more private keys in PEM (PKCS#8, RFC 8410), as `openssl genpkey -algorithm
ed25519` writes them. The first signs; all are published, so that the next key can be made known
before it signs, and the last one stays known until nothing is signed by it any more.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NoReturn, final

import structlog
from nacl import bindings
from typing_extensions import override

from adapters.crypto import base64url
from adapters.system.files import read_file
from ports.store_plugin import HttpResponse, HttpRoute

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ports.store_plugin import HttpRequest


MAX_KEYS: Final = 8
SIGNATURE_BYTES: Final = 64

_SEED_BYTES = 32
_PRIVATE_DER = bytes.fromhex("302e020100300506032b657004220420")
"""PKCS#8 around 32 secret bytes (RFC 8410, section 7)."""
_PUBLIC_DER = bytes.fromhex("302a300506032b6570032100")
"""SubjectPublicKeyInfo around 32 public bytes (RFC 8410, section 4)."""
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----")

JWKS_PATH: Final = "/vault/jwks.json"
PEM_PATH: Final = "/vault/jwt-keys.pem"
MAX_FILE_BYTES: Final = 64 * 1024

_log = structlog.get_logger()


class InvalidKeyFileError(ValueError):
    """The text holds no such keys; its own text says what is wrong, without any of it."""


@final
class SigningKey:
    """One key pair. Neither repr, copy nor pickle gives the secret half away. `key_id`: the
    thumbprint of the public key (RFC 7638).
    """

    __slots__ = ("__public", "__secret", "key_id")

    def __init__(self, seed: bytes) -> None:
        """Take the 32 secret bytes."""
        self.__public, self.__secret = bindings.crypto_sign_seed_keypair(seed)
        canonical = json.dumps(
            {"crv": "Ed25519", "kty": "OKP", "x": base64url.encode(self.__public)},
            separators=(",", ":"),
        )
        self.key_id = base64url.encode(hashlib.sha256(canonical.encode("ascii")).digest())

    def sign(self, message: bytes) -> bytes:
        """Return the signature of the message, 64 bytes."""
        return bindings.crypto_sign(message, self.__secret)[:SIGNATURE_BYTES]

    def jwk(self) -> Mapping[str, str]:
        """Return the public key as a JWK (RFC 8037)."""
        return {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": base64url.encode(self.__public),
            "kid": self.key_id,
            "alg": "EdDSA",
            "use": "sig",
        }

    def public_pem(self) -> str:
        """Return the public key as PEM, for `jwt_validation_pubkeys`."""
        body = base64.b64encode(_PUBLIC_DER + self.__public).decode("ascii")
        return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"

    @override
    def __repr__(self) -> str:
        return f"SigningKey({self.key_id})"

    @override
    def __reduce__(self) -> NoReturn:
        raise TypeError("a signing key cannot be pickled or copied; pass the object itself")


def parse_keys(text: str) -> tuple[SigningKey, ...]:
    """Read the keys of a file, the one that signs first.

    Raises:
        InvalidKeyFileError: it holds none, too many, one twice, or another kind.
    """
    keys = tuple(SigningKey(_seed(label, body)) for label, body in _PEM.findall(text))
    if not 0 < len(keys) <= MAX_KEYS or text.count("-----BEGIN") != len(keys):
        raise InvalidKeyFileError(
            f"must hold 1 to {MAX_KEYS} private keys in PEM; make one by "
            "`openssl genpkey -algorithm ed25519`."
        )
    if len({key.key_id for key in keys}) != len(keys):
        raise InvalidKeyFileError("holds the same key twice; keep each once.")
    return keys


def jwks(keys: Sequence[SigningKey]) -> bytes:
    """Return the public keys as a JWKS document."""
    document = {"keys": [dict(key.jwk()) for key in keys]}
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def _seed(label: str, body: str) -> bytes:
    der = b""
    with suppress(ValueError):
        der = base64.b64decode("".join(body.split()), validate=True)
    if (
        label != "PRIVATE KEY"
        or not der.startswith(_PRIVATE_DER)
        or len(der) != len(_PRIVATE_DER) + _SEED_BYTES
    ):
        raise InvalidKeyFileError(
            "must hold Ed25519 keys in PEM, unencrypted (BEGIN PRIVATE KEY); make one by "
            "`openssl genpkey -algorithm ed25519`."
        )
    return der[len(_PRIVATE_DER) :]


@final
class KeyRing:
    """Holds the keys of a file. `keys`: all that are published; the first signs."""

    def __init__(self, file: Path) -> None:
        """Read the file.

        Raises:
            InvalidKeyFileError: it cannot be read, or holds no such keys.
        """
        self._file = file
        self.keys = _read(file)

    @property
    def signer(self) -> SigningKey:
        """The key that signs now."""
        return self.keys[0]

    def reload(self) -> None:
        """Take up what the file holds now; what cannot be used is logged, and the keys stay."""
        try:
            keys = _read(self._file)
        except InvalidKeyFileError as error:
            _log.warning("vault.signing_keys_not_reloaded", problem=str(error))
            return
        if [key.key_id for key in keys] == [key.key_id for key in self.keys]:
            return
        self.keys = keys
        _log.info("vault.signing_keys_reloaded", signer=self.signer.key_id, count=len(keys))

    def routes(self) -> tuple[HttpRoute, ...]:
        """Return the routes that publish the public keys."""
        return (
            HttpRoute("GET", JWKS_PATH, self._answer_jwks, max_body_bytes=0),
            HttpRoute("GET", PEM_PATH, self._answer_pem, max_body_bytes=0),
        )

    async def _answer_jwks(self, _: HttpRequest) -> HttpResponse:
        return HttpResponse(200, jwks(self.keys), "application/jwk-set+json")

    async def _answer_pem(self, _: HttpRequest) -> HttpResponse:
        pems = "".join(key.public_pem() for key in self.keys)
        return HttpResponse(200, pems.encode("ascii"), "application/x-pem-file")


def _read(file: Path) -> tuple[SigningKey, ...]:
    content: bytes | None = None
    with suppress(OSError):
        content = read_file(file, MAX_FILE_BYTES + 1).data
    if content is None:
        raise InvalidKeyFileError("names a file that cannot be read; check its path and mode.")
    if len(content) > MAX_FILE_BYTES:
        raise InvalidKeyFileError("names a file that is too large; keep keys alone in it.")
    return parse_keys(content.decode("ascii", "replace"))
