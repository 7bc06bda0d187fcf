"""As whom reads ask, by the settings: the service, an agent on the way, or each caller."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from adapters.upstream.credentials import text_source
from adapters.upstream.lockout import LockoutGuard
from adapters.upstream.lockout_file import LockoutFile
from adapters.vault import reasons
from adapters.vault.access import AgentAccess, EitherAccess, ServiceAccess
from adapters.vault.caller_access import CallerTokenAccess, InlineAccess
from adapters.vault.caller_logins import CallerLogins
from adapters.vault.check import PROVES, WrappedCheck
from adapters.vault.login import app_role, signed_token, tls_certificate
from adapters.vault.refusals import LOCKOUT, Refusals
from adapters.vault.service_tokens import ServiceTokens
from adapters.vault.settings import KUBERNETES_TOKEN
from adapters.vault.signing_keys import InvalidKeyFileError, KeyRing
from adapters.vault.token_makers import GivenToken, LoginMaker
from adapters.vault.wrapped_secret_id import WrappedSecretId
from domain.model.opaque import opaque
from ports.plugin import PluginError
from ports.store_plugin import Preflight

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pydantic import SecretStr

    from adapters.upstream.credentials import CredentialSource
    from adapters.vault.access import Access
    from adapters.vault.login import LoginMethod
    from adapters.vault.settings import VaultSettings
    from adapters.vault.token_makers import TokenMaker
    from adapters.vault.wire import Calls
    from ports.store_plugin import HttpRoute, StoreContext

REFUSED_FILE: Final = "vault-refused-logins.json"
COUNT_FILE: Final = "vault-login-count.json"


@opaque
class Asks:
    """How reads are authorized, with what goes on around it as in `StoreParts`, if anything."""

    access: Access
    tokens: ServiceTokens | None = None
    run: Callable[[], Awaitable[None]] | None = None
    close: Callable[[], Awaitable[None]] | None = None
    reload: Callable[[], None] | None = None
    problem: Callable[[], str | None] = lambda: None
    routes: tuple[HttpRoute, ...] = ()
    preflight: Preflight | None = None


def asks_as(settings: VaultSettings, calls: Calls, context: StoreContext) -> Asks:
    """Return as whom the settings have reads ask.

    Raises:
        PluginError: a file cannot be used.
    """
    match settings.method:
        case "agent":
            return Asks(AgentAccess())
        case "caller":
            return _as_callers(settings, calls, context)
        case "token":
            source = _source(settings.token, settings.token_file, "VAULT_TOKEN_FILE")
            maker = GivenToken(source, settings.namespace, calls, context.clock)
            return _as_service(maker, None, context)
        case "approle" | "jwt" | "kubernetes" | "cert":
            refusals = _refusals(settings, context)
            wrapped = _wrapped(settings, calls, context)
            method = _method(settings, wrapped)
            login = LoginMaker(method, settings.namespace, calls, refusals, context.clock)
            asks = _as_service(login, refusals, context)
            if wrapped is None:
                return asks
            check = WrappedCheck(wrapped, context.clock, address=settings.addr)
            return replace(asks, preflight=Preflight(check, PROVES))


def _as_service(maker: TokenMaker, refusals: Refusals | None, context: StoreContext) -> Asks:
    tokens = ServiceTokens(maker, context.clock, context.jitter)
    listening = False

    async def run() -> None:
        nonlocal listening
        if refusals is not None and not listening:
            listening = True
            await refusals.listen()
        await tokens.run()

    def reload() -> None:
        if refusals is not None:
            refusals.forget()
        tokens.try_again()

    return Asks(
        ServiceAccess(tokens),
        tokens,
        run=run,
        close=tokens.aclose,
        reload=reload,
        problem=tokens.problem,
    )


def _as_callers(settings: VaultSettings, calls: Calls, context: StoreContext) -> Asks:
    assert settings.jwt_key_file is not None  # noqa: S101  the settings see to it
    keys = _keys(settings.jwt_key_file)
    clock, mount = context.clock, settings.auth_mount
    logins = CallerLogins(keys, clock, issuer=settings.jwt_issuer, audience=settings.jwt_audience)
    inline = InlineAccess(logins, mount)
    tokens = CallerTokenAccess(logins, mount, calls, clock)
    either = EitherAccess(inline, tokens, calls=calls, clock=clock)

    async def close() -> None:
        await either.aclose()
        await tokens.aclose()

    access: dict[str, Access] = {"auto": either, "inline": inline, "token": tokens}
    return Asks(
        access[settings.caller_login],
        close=close,
        reload=keys.reload,
        routes=keys.routes() if settings.publish_jwt_keys else (),
    )


def _method(settings: VaultSettings, wrapped: WrappedSecretId | None) -> LoginMethod:
    mount, role = settings.auth_mount, settings.role or ""
    match settings.method:
        case "approle":
            role_id = _source(settings.role_id, settings.role_id_file, "VAULT_ROLE_ID_FILE")
            return app_role(mount, role_id, wrapped or _secret_id(settings))
        case "cert":
            return tls_certificate(mount, role)
        case _:
            file = settings.jwt_file or Path(KUBERNETES_TOKEN)
            return signed_token(mount, role, _source(None, file, "VAULT_JWT_FILE"))


def _wrapped(
    settings: VaultSettings, calls: Calls, context: StoreContext
) -> WrappedSecretId | None:
    wrapped, wrapped_file = settings.wrapped_secret_id, settings.wrapped_secret_id_file
    if wrapped is None and wrapped_file is None:
        return None
    if context.workers > 1:
        raise PluginError(
            "must be 1 with a wrapped secret_id, which can be opened once only.",
            setting="WORKERS",
        )
    return WrappedSecretId(
        _source(wrapped, wrapped_file, "VAULT_WRAPPED_SECRET_ID_FILE"),
        mount=settings.auth_mount,
        role=settings.role or "",
        namespace=settings.namespace,
        calls=calls,
        clock=context.clock,
    )


def _secret_id(settings: VaultSettings) -> CredentialSource | None:
    if settings.secret_id is None and settings.secret_id_file is None:
        return None
    return _source(settings.secret_id, settings.secret_id_file, "VAULT_SECRET_ID_FILE")


def _source(text: SecretStr | None, file: Path | None, setting: str) -> CredentialSource:
    return text_source(text, file, setting, reasons.CREDENTIALS_UNREADABLE)


def _refusals(settings: VaultSettings, context: StoreContext) -> Refusals:
    clock, jitter = context.clock, context.jitter
    if settings.state_folder is None:
        return Refusals(LockoutGuard(LOCKOUT, clock, jitter), context.peers)
    folder = Path(settings.state_folder)
    try:
        count = LockoutFile(folder / COUNT_FILE, f"{settings.addr} {settings.auth_mount}")
        guard = LockoutGuard(LOCKOUT, clock, jitter, count)
        return Refusals(guard, context.peers, folder / REFUSED_FILE)
    except (OSError, ValueError):
        pass
    raise PluginError(
        f"has a file {REFUSED_FILE} or {COUNT_FILE} that is none of this backend's; remove it.",
        setting="VAULT_STATE_FOLDER",
    )


def _keys(file: Path) -> KeyRing:
    try:
        return KeyRing(file)
    except InvalidKeyFileError as error:
        advice = str(error)
    raise PluginError(advice, setting="VAULT_JWT_KEY_FILE")
