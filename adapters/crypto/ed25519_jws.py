"""PyJWT taught the one algorithm that wascap tokens use, on an instance of its own.

wascap names it "Ed25519" (RFC 9864 has the same name); PyJWT itself knows Ed25519 only as "EdDSA"
and only with the `cryptography` package. Nothing is registered globally, and the instance knows no
other algorithm: neither "none" nor an HMAC that could take a public key for a shared secret.
"""

from __future__ import annotations

from typing import Any, NoReturn, final

from jwt import PyJWS
from jwt.algorithms import Algorithm
from jwt.exceptions import InvalidKeyError
from nacl import bindings
from nacl.exceptions import CryptoError
from typing_extensions import override

ALGORITHM = "Ed25519"
PUBLIC_KEY_BYTES = bindings.crypto_sign_PUBLICKEYBYTES
SIGNATURE_BYTES = bindings.crypto_sign_BYTES


@final
class Ed25519Algorithm(Algorithm):
    """Checks signatures with libsodium, which refuses malleable ones and low-order keys.

    The key is the 32 raw bytes of a public key. Signing is `adapters.crypto.token_signer`'s.
    """

    @override
    def prepare_key(self, key: Any) -> bytes:
        if not isinstance(key, bytes) or len(key) != PUBLIC_KEY_BYTES:
            raise InvalidKeyError("Give the 32 raw bytes of a public Ed25519 key.")
        return key

    @override
    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:
        if len(sig) != SIGNATURE_BYTES:
            return False
        try:
            bindings.crypto_sign_open(sig + msg, key)
        except CryptoError:
            return False
        return True

    @override
    def sign(self, msg: bytes, key: Any) -> NoReturn:
        raise InvalidKeyError("This algorithm only verifies; sign with token_signer.")

    @staticmethod
    @override
    def to_jwk(key_obj: Any, as_dict: bool = False) -> NoReturn:
        raise InvalidKeyError("Keys are nkeys here, not JWKs; use nkeys_text.")

    @staticmethod
    @override
    def from_jwk(jwk: Any) -> NoReturn:
        raise InvalidKeyError("Keys are nkeys here, not JWKs; use nkeys_text.")


def verified_payload(jws: PyJWS, token: str, public_key: bytes) -> bytes:
    """Return the payload of a compact JWS that `public_key` signed.

    PyJWS, unlike PyJWT's `decode`, looks at no claim: times are the core's to check, by its clock.

    Raises:
        jwt.exceptions.InvalidSignatureError: the signature is not this key's.
        jwt.exceptions.PyJWTError: anything else; its text may hold parts of the token.
    """
    decoded = jws.decode_complete(
        token,
        key=public_key,
        algorithms=[ALGORITHM],
        options={"verify_signature": True, "enforce_minimum_key_length": True},
        detached_payload=None,
    )
    payload: bytes = decoded["payload"]
    return payload


def new_jws() -> PyJWS:
    """Build an instance that verifies Ed25519 and nothing else."""
    jws = PyJWS(
        algorithms=[], options={"verify_signature": True, "enforce_minimum_key_length": True}
    )
    jws.register_algorithm(ALGORITHM, Ed25519Algorithm())
    return jws
