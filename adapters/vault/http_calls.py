"""Calls over HTTP: admitted, repeated while a node is not ready, redirected to the active node.

A standby node that may not forward, and every node during an election, answers logins by a redirect
to the active node; any other redirect may lead to another secret, or to another server (measured).
So one is followed at most, with the path unchanged, to an address that the operator has listed.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, final
from urllib.parse import urlsplit

import structlog
from typing_extensions import override

from adapters.upstream.statistics import Lane
from adapters.vault.error_map import is_transient, lacks_active_node, leads_to_active_node
from adapters.vault.quotas import MountPauses
from adapters.vault.wire import BAD_REQUEST, REDIRECT, REQUEST_HEADER, SERVER_ERROR, Answer, Calls

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adapters.upstream.admission import Admission
    from adapters.upstream.http import UpstreamHttp
    from adapters.upstream.message import UpstreamResponse
    from adapters.vault.wire import Call
    from ports.clock import Clock


MAX_ATTEMPTS: Final = 4
FIRST_DELAY_SECONDS: Final = 0.25
"""Doubled for each further attempt, and up to half as much again."""

_log = structlog.get_logger()


def is_vault_answer(response: UpstreamResponse) -> bool:
    """Say whether a response below 500 is the API's; two of its refusals have no body."""
    bodiless = not response.body and response.status in {BAD_REQUEST, REDIRECT}
    return bodiless or (response.is_json and Answer.of(response).is_api)


@final
class HttpCalls(Calls):
    """Makes calls of one Vault. `pauses`: which mounts pause, since a quota has refused a read."""

    def __init__(
        self,
        http: UpstreamHttp,
        admission: Admission,
        clock: Clock,
        jitter: Callable[[], float],
        nodes: Mapping[str, UpstreamHttp],
    ) -> None:
        """Put the parts together. `nodes`: where a redirect may lead, by scheme and authority."""
        self._http = http
        self._admission = admission
        self.pauses = MountPauses(http.config, admission, clock)
        self._clock = clock
        self._jitter = jitter
        self._nodes = nodes

    @override
    async def call(self, call: Call, deadline: float) -> Answer:
        delay = FIRST_DELAY_SECONDS
        attempts = 0
        while True:
            attempts += 1
            answer = await self._redirected(call, deadline)
            # Server errors were tried again below already, but an election takes longer than that.
            is_over = answer.status >= SERVER_ERROR and not lacks_active_node(answer)
            if is_over or not is_transient(answer):
                return answer
            pause = delay * (1 + self._jitter() / 2)
            if attempts == MAX_ATTEMPTS or self._clock.monotonic() + pause >= deadline:
                return answer
            await self._clock.sleep(pause)
            delay *= 2

    async def aclose(self) -> None:
        """Close all connections."""
        await self._admission.aclose()
        for http in (self._http, *self._nodes.values()):
            await http.aclose()

    async def _redirected(self, call: Call, deadline: float) -> Answer:
        answer = Answer.of(await self._send(self._http, call, deadline))
        if not leads_to_active_node(answer) or answer.location is None:
            return answer
        query = "" if call.version is None else f"?version={call.version}"
        node = self._node(answer.location, call.path + query)
        if node is None:
            _log.warning(
                "vault.redirect_not_followed",
                advice="List the addresses of all nodes in VAULT_REDIRECT_ADDRESSES.",
            )
            return answer
        return Answer.of(await self._send(node, call, deadline))

    def _node(self, location: str, target: str) -> UpstreamHttp | None:
        try:
            parts = urlsplit(location)
        except ValueError:
            return None
        if location != f"{parts.scheme}://{parts.netloc}{target}":
            return None
        return self._nodes.get(f"{parts.scheme}://{parts.netloc}")

    async def _send(self, http: UpstreamHttp, call: Call, deadline: float) -> UpstreamResponse:
        headers = {REQUEST_HEADER: "true", **call.headers}
        query = None if call.version is None else {"version": call.version}
        body = None if call.body is None else dict(call.body)
        if call.is_login:
            return await http.request(
                call.method,
                call.path,
                deadline=deadline,
                headers=headers,
                json=body,
                retry=call.repeatable,
                lane=Lane.LOGIN,
            )
        return await http.request(
            call.method,
            call.path,
            deadline=deadline,
            headers=headers,
            query=query,
            slot=partial(self.pauses.slot, call, deadline),
        )
