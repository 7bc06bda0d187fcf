"""How long reads of a mount pause, since a quota has refused one of them.

A 429 names the path that was asked for and not the quota, which may be of a path, a mount, a
namespace or the whole server. A quota of one mount leaves the others alone (measured); so a pause
holds for the mount, and a wider quota refuses one read of each mount. See ADR 132.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, final

from adapters.upstream.cooldown import Cooldown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.upstream.admission import Admission
    from adapters.upstream.admitted import Admitted
    from adapters.upstream.config import UpstreamConfig
    from adapters.vault.call import Call
    from ports.clock import Clock


@final
class MountPauses:
    """Admits reads of mounts that do not pause; there are as many as the operator allows."""

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
        """Wait for the end of the mount's pause and for a slot, and hold that.

        Raises:
            RateLimited: one of them would come too late.
        """
        pause = self._pauses.get(call.mount)
        if pause is None:
            pause = self._pauses[call.mount] = Cooldown(self._config, self._clock)
        while True:
            await pause.wait(deadline)
            async with self._admission.slot(
                key=call.key, tenant=call.tenant, deadline=deadline, on_limit=pause.extend
            ) as admitted:
                if not pause.active:
                    yield admitted
                    return
                # It began while this call waited for a slot.
                admitted.withdraw()
