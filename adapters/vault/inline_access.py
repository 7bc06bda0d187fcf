"""Reads that carry the caller's login in headers: OpenBao's inline authentication.

One round trip, and no token is left behind on the server (measured on OpenBao 2.6.2). A server that
does not know it ignores the headers and answers as to no token at all, so that it is found out by a
login that must fail: only a server that knows it says so in a header of the answer.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, final

from typing_extensions import override

from adapters.crypto import base64url
from adapters.vault.access import Access, Pass
from adapters.vault.answer import OK, TOO_MANY
from adapters.vault.call import Call, namespace_header
from adapters.vault.caller_errors import caller_login_error, inline_failing
from adapters.vault.caller_logins import CAPACITY
from adapters.vault.error_map import error_for, is_transient, rate_limited, unavailable
from adapters.vault.wire_paths import inline_login_path, mount_path
from domain.model.recently_used import RecentlyUsed
from domain.model.workload import signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.vault.addressing import Place
    from adapters.vault.answer import Answer
    from adapters.vault.call import Calls
    from adapters.vault.caller_logins import CallerLogins
    from domain.model.errors import SecretsError
    from domain.model.identity import Caller
    from domain.model.workload import Workload

_NO_TOKEN = "this-is-no-token"  # noqa: S105  it must be refused


@final
class InlineAccess(Access):
    """Logs the caller in with each read."""

    def __init__(self, logins: CallerLogins, mount: str) -> None:
        self._logins = logins
        self._mount = mount
        self._written: RecentlyUsed[tuple[str, str], Mapping[str, str]] = RecentlyUsed(CAPACITY)

    @override
    async def authorize(self, place: Place, caller: Caller | Workload) -> Pass:
        # A caller's token serves many reads, so its headers are written once.
        key = (place.role, self._logins.token_for(signed(caller)))
        headers = self._written.find(key)
        if headers is None:
            headers = _headers(self._mount, *key)
            self._written.keep(key, headers)
        return Pass(headers)

    @override
    def doubt(self, used: Pass) -> bool:
        return False

    @override
    def confirm(self, used: Pass) -> None:
        return None

    @override
    def error_for(self, answer: Answer) -> SecretsError:
        if answer.inline_failed:
            return caller_login_error(answer)
        return inline_failing(answer) or error_for(answer)


async def knows_inline_login(calls: Calls, mount: str, place: Place, deadline: float) -> bool:
    """Find out whether the server takes logins along with reads.

    Raises:
        StoreUnavailable, RateLimited: it does not answer just now.
        UpstreamError: it does not know the namespace, or is no such server at all.
    """
    headers = {**namespace_header(place.namespace), **_headers(mount, "no-role", _NO_TOKEN)}
    call = Call(
        "GET",
        mount_path(place.mount),
        headers=headers,
        tenant="probe",
        key="probe",
        mount=place.engine,
    )
    answer = await calls.call(call, deadline)
    if answer.inline_failed:
        return True
    if answer.status == TOO_MANY:
        raise rate_limited(answer)
    if is_transient(answer):
        raise unavailable(answer)
    if not answer.is_api or (answer.status != OK and "namespace" in answer.texts):
        raise error_for(answer)
    return False


def _headers(mount: str, role: str, token: str) -> Mapping[str, str]:
    return {
        "X-Vault-Inline-Auth-Path": inline_login_path(mount),
        "X-Vault-Inline-Auth-Parameter-jwt": _parameter("jwt", token),
        "X-Vault-Inline-Auth-Parameter-role": _parameter("role", role),
    }


def _parameter(name: str, text: str) -> str:
    member = json.dumps({"key": name, "value": text}, separators=(",", ":"))
    return base64url.encode(member.encode("utf-8"))
