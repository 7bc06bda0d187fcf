"""All watches of one process, and what a change in any of them leads to."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from adapters.kubernetes.answer import FORBIDDEN
from adapters.kubernetes.watch import SecretWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.kubernetes.api import KubernetesApi
    from adapters.kubernetes.change_notices import ChangeNotices
    from adapters.kubernetes.secret_object import State
    from ports.clock import Clock

ASK_SECONDS: Final = 4.0
ASK_AGAIN_SECONDS: Final = 0.5
"""While the API server does not answer, or a watch has just broken: a change that it missed is then
noticed within a second of the server's return."""

LOST_SECONDS: Final = 2.0
"""A watch that is away for less than this is only being resumed."""


class SecretWatches:
    """One watch for each namespace, or for each Secret where the Role names them. `all`: by
    (namespace, name), name None for the namespace; empty where nothing is watched.
    """

    def __init__(
        self,
        api: KubernetesApi,
        targets: tuple[tuple[str, str | None], ...],
        notices: ChangeNotices,
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        """Prepare the watches; `run` opens them. `notices`: spreads the word of a change."""
        self._api = api
        self._clock = clock
        self._jitter = jitter
        self._notices = notices
        self.all = {
            (namespace, name): SecretWatch(
                api,
                namespace,
                name,
                clock=clock,
                jitter=jitter,
                on_changed=partial(notices.changed, namespace),
            )
            for namespace, name in targets
        }

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._notices.run())
            tasks.create_task(self._ask())
            for watch in self.all.values():
                tasks.create_task(watch.run())

    def reopen(self) -> None:
        """Open all watches again, as the API server that they are of may be gone."""
        for watch in self.all.values():
            watch.reopen()

    async def _ask(self) -> None:
        """Send a small call now and then, whose failure shows what a silent watch does not."""
        answered, due = True, self._next(ASK_SECONDS)
        while True:
            at = self._next(ASK_AGAIN_SECONDS)
            await self._clock.sleep(at - self._clock.monotonic())
            if answered and at < due and not self._just_broken():
                continue
            before, answered = answered, await self._api.is_there()
            due = self._next(ASK_SECONDS)
            if answered and not before:
                # By now they may wait for as long as a server that is away is waited for.
                for watch in self.all.values():
                    watch.hasten()

    def _next(self, longest: float) -> float:
        return self._clock.monotonic() + longest * (0.5 + 0.5 * self._jitter())

    def _just_broken(self) -> bool:
        """Say whether a connection of a watch has broken, and it is not long since."""
        since = self._clock.monotonic() - LOST_SECONDS
        return any(
            watch.failure == 0 and watch.down_since is not None and watch.down_since > since
            for watch in self.all.values()
        )

    def note_read(self, namespace: str, name: str, state: State | None) -> None:
        """Note what a read found, for a watch that is not complete yet."""
        watch = self.all.get((namespace, None)) or self.all.get((namespace, name))
        if watch is not None:
            watch.state.note_read(name, state)

    def down(self) -> list[SecretWatch]:
        """Return the watches that tell of no change right now, for longer than a resumption."""
        now = self._clock.monotonic()
        return [
            watch
            for watch in self.all.values()
            if watch.down_since is not None and now - watch.down_since > LOST_SECONDS
        ]

    def degraded(self) -> str | None:
        """Return advice on watches that are down; None while all are live."""
        down = self.down()
        if not down:
            return None
        denied = any(watch.failure == FORBIDDEN for watch in down)
        remedy = (
            "RBAC denies list or watch: apply the Role that the check at start prints"
            if denied
            else "see the log, and the API server's health"
        )
        return (
            f"{len(down)} of {len(self.all)} watches of Kubernetes Secrets are down, so changed "
            f"values are served until their time in the cache is over; {remedy}."
        )

    def down_seconds(self) -> float:
        """Return for how long the watch that has been down for longest has been; 0 if none is."""
        now = self._clock.monotonic()
        return max((now - (watch.down_since or now) for watch in self.down()), default=0.0)
