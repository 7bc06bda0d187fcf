"""Proving to a NATS server that this service holds its user's nkey."""

from __future__ import annotations

import base64
import re
import ssl
from typing import TYPE_CHECKING, Any

from nacl.signing import SigningKey
from nats.errors import Error

from adapters.crypto.nkeys_text import InvalidNKeyError, KeyKind, decode_seed, encode_public
from adapters.system.secret_file import Kind, SecretFileError, read_secret_file, read_secret_text
from ports.settings import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from adapters.nats.settings import NatsLoginSettings

_MAX_BYTES = 64 * 1024
_USER_JWT = re.compile(r"-{3,}BEGIN NATS USER JWT-{3,}\s+(\S+)\s+-{3,}END NATS USER JWT-{3,}")
_USER_SEED = re.compile(r"-{3,}BEGIN USER NKEY SEED-{3,}\s+(\S+)\s+-{3,}END USER NKEY SEED-{3,}")


class CredentialsUnusableError(Error):
    """A credentials file or seed cannot be read; the text never holds any of it.

    It is one of nats-py's errors, so that a reconnect goes on trying until the file is corrected.
    """


def login_options(settings: NatsLoginSettings) -> dict[str, Any]:
    """Return what `ResilientClient.connect_once` takes to log in.

    Files are read by the callbacks at every connect, so that renewed ones are picked up, and once
    here, so that unusable ones are named before anything is sent.

    Raises:
        CredentialsUnusableError: the file or the seed cannot be used.
    """
    options: dict[str, Any] = {}
    user, password, token = settings.login
    if user is not None and password is not None:
        options |= {"user": user, "password": password.get_secret_value()}
    if token is not None:
        options["token"] = token.get_secret_value()
    if settings.credentials_file is not None:
        options |= _signing(
            lambda: _from_credentials(settings, _USER_SEED, "the user's nkey seed"),
            lambda: _from_credentials(settings, _USER_JWT, "the user's JWT"),
        )
    elif settings.nkey_seed is not None or settings.nkey_seed_file is not None:
        options |= _signing(
            lambda: _configured_seed(settings),
            None if settings.user_jwt is None else settings.user_jwt.get_secret_value,
        )
    return options


def _signing(seed: Callable[[], str], user_jwt: Callable[[], str] | None) -> dict[str, Any]:
    key = _signing_key(seed())
    signing = {"signature_cb": lambda nonce: _sign(seed(), nonce)}
    if user_jwt is None:
        return {**signing, "public_nkey": encode_public(KeyKind.USER, bytes(key.verify_key))}
    user_jwt()
    return {**signing, "user_jwt_cb": lambda: user_jwt().encode()}


def _sign(seed: str, nonce: str) -> bytes:
    """Return the signature as the CONNECT line carries it."""
    return base64.b64encode(_signing_key(seed).sign(nonce.encode()).signature)


def _signing_key(seed: str) -> SigningKey:
    try:
        _, raw = decode_seed(seed, KeyKind.USER)
    except InvalidNKeyError as error:
        # Its text holds no input; raised outside the block, so that no context does either.
        problem = str(error)
    else:
        return SigningKey(raw)
    raise CredentialsUnusableError(f"The NATS nkey seed cannot be used. {problem}")


def _configured_seed(settings: NatsLoginSettings) -> str:
    if settings.nkey_seed is not None:
        return settings.nkey_seed.get_secret_value().strip()
    return _read(settings.nkey_seed_file, "nkey seed", _seed_in)


def _seed_in(path: Path) -> str:
    return read_secret_file(path, Kind.SEED).text


def _from_credentials(settings: NatsLoginSettings, block: re.Pattern[str], what: str) -> str:
    path = settings.credentials_file
    found = block.search(_read(path, "credentials", read_secret_text))
    if found is None:
        raise CredentialsUnusableError(
            f"The NATS credentials file {path} does not hold {what}; write it again with "
            "`nsc generate creds`."
        )
    return found[1]


def _read(path: Path | None, what: str, read: Callable[[Path], str]) -> str:
    if path is None:
        return ""
    try:
        return read(path)
    except FileNotFoundError:
        problem = "does not exist; check its path."
    except SecretFileError as error:
        problem = str(error)
    raise CredentialsUnusableError(f"The NATS {what} file {path} {problem}")


def unusable_files(settings: NatsLoginSettings) -> Iterator[Problem]:
    """Yield what is wrong with the files of the login and of TLS."""
    if settings.credentials_file is not None or settings.nkey_seed_file is not None:
        given = settings.credentials_file is not None
        name = f"{settings.prefix}{'CREDENTIALS_FILE' if given else 'NKEY_SEED_FILE'}"
        try:
            login_options(settings)
        except CredentialsUnusableError as error:
            yield Problem(name, f"cannot be used. {error}")
    try:
        if settings.tls_ca_file is not None:
            ssl.create_default_context(cafile=settings.tls_ca_file)
    except (OSError, ValueError):
        yield Problem(f"{settings.prefix}TLS_CA_FILE", "must name certificates in PEM form.")
    try:
        if settings.tls_cert_file is not None:
            # A key with a passphrase would have it asked for on the terminal.
            ssl.create_default_context().load_cert_chain(
                settings.tls_cert_file, settings.tls_key_file, password=""
            )
    except (OSError, ValueError):
        yield Problem(
            f"{settings.prefix}TLS_CERT_FILE, {settings.prefix}TLS_KEY_FILE",
            "must name a certificate and the key that belongs to it, in PEM form and without a "
            "passphrase.",
        )
