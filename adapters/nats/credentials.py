"""Proving to a NATS server that this service holds its user's nkey."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

from nacl.signing import SigningKey
from nats.errors import Error

from adapters.crypto.nkeys_text import InvalidNKeyError, KeyKind, decode_seed

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.nats.config import NatsConfig

_USER_JWT = re.compile(r"-{3,}BEGIN NATS USER JWT-{3,}\s+(\S+)\s+-{3,}END NATS USER JWT-{3,}")
_USER_SEED = re.compile(r"-{3,}BEGIN USER NKEY SEED-{3,}\s+(\S+)\s+-{3,}END USER NKEY SEED-{3,}")


class CredentialsUnusableError(Error):
    """A credentials file or seed cannot be read; the text never holds any of it.

    It is one of nats-py's errors, so that a reconnect goes on trying until the file is mended.
    """


def login_options(config: NatsConfig) -> dict[str, Any]:
    """Return what nats-py's `connect` takes to log in.

    Files are read by the callbacks at every connect, so that renewed ones are picked up, and once
    here, so that unusable ones are named before anything is sent.

    Raises:
        CredentialsUnusableError: the file or the seed cannot be used.
    """
    options: dict[str, Any] = {}
    if config.user is not None and config.password is not None:
        options |= {"user": config.user, "password": config.password.get_secret_value()}
    if config.token is not None:
        options["token"] = config.token.get_secret_value()
    if config.credentials_file is not None:
        options |= _signing(
            lambda: _from_credentials(config, _USER_SEED, "the user's nkey seed"),
            lambda: _from_credentials(config, _USER_JWT, "the user's JWT"),
        )
    elif config.nkey_seed is not None or config.nkey_seed_file is not None:
        user_jwt = config.user_jwt
        if user_jwt is None:
            _sign(_configured_seed(config), "check")
            options["nkeys_seed_str"] = _configured_seed(config)
        else:
            options |= _signing(lambda: _configured_seed(config), user_jwt.get_secret_value)
    return options


def _signing(seed: Callable[[], str], user_jwt: Callable[[], str]) -> dict[str, Any]:
    _sign(seed(), "check")
    user_jwt()
    return {
        "signature_cb": lambda nonce: _sign(seed(), nonce),
        "user_jwt_cb": lambda: user_jwt().encode(),
    }


def _sign(seed: str, nonce: str) -> bytes:
    """Return the signature as the CONNECT line carries it."""
    try:
        _, raw = decode_seed(seed, KeyKind.USER)
    except InvalidNKeyError as error:
        # Its text holds no input; raised outside the block, so that no context does either.
        problem = str(error)
    else:
        return base64.b64encode(SigningKey(raw).sign(nonce.encode()).signature)
    raise CredentialsUnusableError(f"The NATS nkey seed cannot be used. {problem}")


def _configured_seed(config: NatsConfig) -> str:
    if config.nkey_seed is not None:
        return config.nkey_seed.get_secret_value().strip()
    try:
        text = config.nkey_seed_file.read_text("utf-8") if config.nkey_seed_file else ""
    except (OSError, ValueError):
        text = None
    if text is None:
        raise CredentialsUnusableError(
            f"The NATS nkey seed file {config.nkey_seed_file} cannot be read; check its path and "
            "that this user may read it."
        )
    return text.strip()


def _from_credentials(config: NatsConfig, block: re.Pattern[str], what: str) -> str:
    path = config.credentials_file
    try:
        text = path.read_text("utf-8") if path else ""
    except (OSError, ValueError):
        text = None
    if text is None:
        raise CredentialsUnusableError(
            f"The NATS credentials file {path} cannot be read; check its path and that this user "
            "may read it."
        )
    found = block.search(text)
    if found is None:
        raise CredentialsUnusableError(
            f"The NATS credentials file {path} does not hold {what}; write it anew with "
            "`nsc generate creds`."
        )
    return found[1]
