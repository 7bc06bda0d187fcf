"""The two calls of etcd's JSON gateway that a read needs.

The gateway writes bytes in base64 and whole numbers as texts, and leaves out what is empty or 0.
"""

from __future__ import annotations

import asyncio
import base64
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple, final

from wasmcloud_secrets.extension import (
    CallFailed,
    SecretNotFound,
    SecretsError,
    StoreUnavailable,
    UpstreamError,
)
from wasmcloud_secrets.http import Lane, UpstreamResponse

if TYPE_CHECKING:
    from pydantic import SecretStr

    from wasmcloud_secrets.http import UpstreamHttp

OK: Final = 200
WRONG_LOGIN, FORBIDDEN, NO_LOGIN, NO_SUCH_REVISION, UNAVAILABLE, BAD_TOKEN = 3, 7, 9, 11, 14, 16
"""Codes of gRPC: NO_LOGIN comes where a user logs in and authentication is off."""


class Entry(NamedTuple):
    """One key as etcd has it.

    Attributes:
        revision: of the whole store, when this key was last written.
    """

    revision: int
    value: bytes


@final
class EtcdApi:
    """Reads keys, and logs in when that is needed; safe for concurrent calls."""

    def __init__(self, http: UpstreamHttp, login: tuple[str, SecretStr] | None) -> None:
        self._http = http
        self._login = login
        self._token = ""
        self._logging_in = asyncio.Lock()

    async def get(self, key: bytes, *, deadline: float, revision: int = 0) -> Entry | None:
        """Return a key as it was at a revision; 0 means now. None: it was not there.

        Raises:
            SecretNotFound: etcd does not have that revision any more, or not yet.
            UpstreamError: etcd refuses, or does not answer by the deadline.
        """
        asked = {"key": base64.b64encode(key).decode(), "revision": str(revision)}
        token = self._token or await self._new_token("", deadline)
        response = await self._call("/v3/kv/range", asked, deadline, token)
        if self._login and _code(response) == BAD_TOKEN:
            # Tokens end after five minutes, and when etcd restarts.
            token = await self._new_token(token, deadline)
            response = await self._call("/v3/kv/range", asked, deadline, token)
        if response.status != OK:
            raise _refusal(response)
        with suppress(ValueError):
            return _entry(response.document)
        raise UpstreamError(
            "What answers at ETCD_STORE_URL is not etcd; check the address.", reason="etcd_unlike"
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def _new_token(self, refused: str, deadline: float) -> str:
        """Log in, unless another call has done so since."""
        if self._login is None:
            return ""
        async with self._logging_in:
            if self._token == refused:
                user, password = self._login
                given = {"name": user, "password": password.get_secret_value()}
                response = await self._call("/v3/auth/authenticate", given, deadline, "")
                if response.status != OK:
                    raise _refusal(response)
                self._token = response.text("token")
            return self._token

    async def _call(
        self, path: str, body: dict[str, str], deadline: float, token: str
    ) -> UpstreamResponse:
        return await self._http.request(
            "POST",
            path,
            json=body,
            deadline=deadline,
            headers={"Authorization": token} if token else {},
            lane=Lane.READ if token or self._login is None else Lane.LOGIN,
        )


def _entry(document: object) -> Entry | None:
    """Read the answer to a read.

    Raises:
        ValueError: it is not etcd's.
    """
    match document:
        case {"kvs": [{"mod_revision": str(written), **kv}]}:
            return Entry(int(written), base64.b64decode(str(kv.get("value", "")), validate=True))
        case {"header": _}:
            return None
        case _:
            raise ValueError


def _code(response: UpstreamResponse) -> object:
    return response.member("code") if response.status != OK else None


def _refusal(response: UpstreamResponse) -> SecretsError:
    """Say why etcd gave no answer, never in etcd's own words, which may repeat what was sent."""
    match _code(response):
        case code if code == NO_SUCH_REVISION:
            return SecretNotFound("etcd does not have that revision any more, or not yet.")
        case code if code == FORBIDDEN:
            return UpstreamError(
                "etcd does not let this user read the key; grant a role that may.",
                reason="etcd_forbidden",
            )
        case code if code in {WRONG_LOGIN, NO_LOGIN, BAD_TOKEN}:
            return UpstreamError(
                "etcd refuses the login; check ETCD_STORE_USER, ETCD_STORE_PASSWORD, and whether "
                "its authentication is on.",
                reason="etcd_login_refused",
            )
        case code if code == UNAVAILABLE:
            return StoreUnavailable(
                "etcd has no leader just now; check its members.", reason="etcd_unavailable"
            )
    return CallFailed("etcd failed; its own log says why.", reason="etcd_failed")
