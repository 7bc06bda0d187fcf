"""The ways the service logs in: AppRole, JWT, Kubernetes and TLS certificate."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final, Protocol, final

from typing_extensions import override

from adapters.vault.wire_paths import login_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.upstream.credentials import CredentialSource

_SCRYPT_COST: Final = 2**14
"""Some 50 ms: a secret_id may be one that a person made up, and its fingerprint leaves the process
in messages to peers about a refusal."""


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """What a login sends.

    Attributes:
        path: of the HTTP API.
        body: credentials.
    """

    path: str
    body: Mapping[str, str] = field(repr=False)

    async def fingerprint(self) -> str:
        """Return what tells these credentials from others without giving them away."""
        parts = [self.path, *(f"{name}={text}" for name, text in sorted(self.body.items()))]
        return await asyncio.to_thread(_fingerprint, "\0".join(parts))


class LoginMethod(Protocol):
    """One way to log in.

    Attributes:
        is_locked_by_refusals: whether the server locks the role after some refused logins.
        may_change: whether later logins may present other credentials.
    """

    is_locked_by_refusals: ClassVar[bool]

    @property
    def may_change(self) -> bool: ...

    async def request(self) -> LoginRequest:
        """Return what to send now.

        Raises:
            UpstreamError: there are no credentials to be had just now.
        """


@final
@dataclass(frozen=True, slots=True)
class AppRole(LoginMethod):
    """A role_id and a secret_id. After five refused logins the server locks the role for 15
    minutes, for the right secret_id too (measured).
    """

    mount: str
    role_id: CredentialSource
    secret_id: CredentialSource | None
    is_locked_by_refusals = True

    @property
    @override
    def may_change(self) -> bool:
        return self.role_id.may_change or (self.secret_id is not None and self.secret_id.may_change)

    @override
    async def request(self) -> LoginRequest:
        body = {"role_id": (await self.role_id.read()).get_secret_value()}
        if self.secret_id is not None:
            body["secret_id"] = (await self.secret_id.read()).get_secret_value()
        return LoginRequest(login_path(self.mount), body)


@final
@dataclass(frozen=True, slots=True)
class SignedToken(LoginMethod):
    """A JWT of an issuer that the server trusts, or of a Kubernetes service account."""

    mount: str
    role: str
    token: CredentialSource
    is_locked_by_refusals = False

    @property
    @override
    def may_change(self) -> bool:
        return self.token.may_change

    @override
    async def request(self) -> LoginRequest:
        token = (await self.token.read()).get_secret_value()
        return LoginRequest(login_path(self.mount), {"role": self.role, "jwt": token})


@final
@dataclass(frozen=True, slots=True)
class TlsCertificate(LoginMethod):
    """The client certificate of the connection; the role's name may be left out."""

    mount: str
    role: str
    is_locked_by_refusals = False

    @property
    @override
    def may_change(self) -> bool:
        return False

    @override
    async def request(self) -> LoginRequest:
        return LoginRequest(login_path(self.mount), {"name": self.role} if self.role else {})


def _fingerprint(text: str) -> str:
    digest = hashlib.scrypt(
        text.encode("utf-8", "surrogatepass"),
        salt=b"wasmcloud-secrets vault login",
        n=_SCRYPT_COST,
        r=8,
        p=1,
        dklen=16,
    )
    return digest.hex()
