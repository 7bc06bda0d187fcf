"""What a quota of the server that refuses reads means to those that follow."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, final

from adapters.upstream.cooldown import Cooldown
from adapters.upstream.message import UpstreamResponse
from adapters.vault.wire import TOO_MANY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.upstream.admission import Admission
    from adapters.upstream.admitted import Admitted
    from adapters.upstream.config import UpstreamConfig
    from adapters.vault.wire import Call
    from ports.clock import Clock


_QUOTA_SECONDS: Final = "1"
_QUOTA_HEADERS: Final = "x-ratelimit-"
_QUOTA_HEADER: Final = "x-ratelimit-limit"


def without_quotas(response: UpstreamResponse) -> UpstreamResponse:
    """Have a rate limit last a second where the server does not say how long, and no longer.

    Vault tells that only if an operator has switched the headers on, and counts by the second
    unless a quota says otherwise. What those headers say of the calls that are left is one quota's
    of many, each with its own paths and interval, so that it does not hold for the next call.
    """
    is_limited = response.status == TOO_MANY and "retry-after" not in response.headers
    if not is_limited and _QUOTA_HEADER not in response.headers:
        return response
    headers = {
        name: value
        for name, value in response.headers.items()
        if not name.startswith(_QUOTA_HEADERS)
    }
    if is_limited:
        headers["retry-after"] = _QUOTA_SECONDS
    return UpstreamResponse(response.status, headers, response.body)


@final
class MountPauses:
    """Admits reads of mounts that do not pause, since a quota has refused one of them.

    A 429 names the path that was asked for and not the quota, which may be of a path, a mount, a
    namespace or the whole server. A quota of one mount leaves the others alone (measured); so a
    pause holds for the mount, and a wider quota refuses one read of each mount. See ADR 132. There
    are as many mounts as the operator allows.
    """

    def __init__(self, config: UpstreamConfig, admission: Admission, clock: Clock) -> None:
        self._config = config
        self._admission = admission
        self._clock = clock
        self._pauses: dict[str, Cooldown] = {}

    @property
    def longest_seconds(self) -> float:
        """How long the longest pause still lasts; 0 without one."""
        return max((pause.remaining_seconds for pause in self._pauses.values()), default=0.0)

    @asynccontextmanager
    async def slot(self, call: Call, deadline: float) -> AsyncIterator[Admitted]:
        """Wait for the end of the mount's pause, and admit a read of it as `Admission` does.

        Raises:
            RateLimited: the pause or the slot would last too long.
        """
        pause = self._pauses.get(call.mount)
        if pause is None:
            pause = self._pauses[call.mount] = Cooldown(self._config, self._clock)
        while True:
            await pause.wait(deadline)
            async with self._admission.slot(
                key=call.path, tenant=call.tenant, deadline=deadline, on_limit=pause.extend
            ) as admitted:
                if not pause.active:
                    yield admitted
                    return
                # It began while this call waited for a slot.
                admitted.withdraw()
