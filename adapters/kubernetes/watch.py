"""One watch: a list first, then what follows on it, resumed after every end until it is too old."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import structlog

from adapters.kubernetes.watch_events import (
    WatchError,
    WatchExpiredError,
    list_states,
    read_event,
    read_lines,
)
from adapters.kubernetes.watch_state import WatchState
from adapters.system.cancelling import honour_cancellation
from domain.model.errors import SecretsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.kubernetes.api import KubernetesApi
    from adapters.kubernetes.watch_state import Changes
    from ports.clock import Clock

LIFE_SECONDS: Final = 120.0
"""A watch is asked to end after this and up to half as much again: its rights are checked only when
it begins, and a peer that vanished without a word shows no later than that."""

GRACE_SECONDS: Final = 10.0
"""How long after that the server may take to end it."""

SHORTEST_SECONDS: Final = 1.0
"""A watch that ends sooner without a word counts as failed, lest it is opened in a tight loop."""

RESUME_SECONDS: Final = 0.2
"""After a clean end the next watch is opened within this."""

LONGEST_PAUSE_SECONDS: Final = 30.0

REOPEN_SECONDS: Final = 2.0
"""A watch younger than this is not opened again because calls fail."""

_log = structlog.get_logger()


class SecretWatch:
    """Follows the Secrets of one namespace, or one of them, and tells which have changed.

    Attributes:
        namespace, name: what is watched; `name` is None for all Secrets of the namespace.
        state: what is known; it outlives a restart of `run`.
        is_live: whether a change would be noticed right now, as far as can be known.
        down_since: monotonic seconds since when it is not live; None while it is.
        failure: the status of the last refusal, 0 if there was no answer; None while all is well.
        events: how many events came, bookmarks included.
        ends: how often a watch ended, by cause.
    """

    def __init__(
        self,
        api: KubernetesApi,
        namespace: str,
        name: str | None,
        *,
        clock: Clock,
        jitter: Callable[[], float],
        on_changed: Callable[[Changes], None],
    ) -> None:
        """Watch nothing yet.

        Args:
            namespace: checked by the API's grammar, as `name` is.
            jitter: draws evenly from 0 up to 1, so that replicas do not come all at once.
            on_changed: called with what an event or a comparison shows to have changed.
        """
        self.namespace, self.name = namespace, name
        self.state = WatchState()
        self.is_live = False
        self.down_since: float | None = clock.monotonic()
        self.failure: int | None = None
        self.events = 0
        self.ends = {"ended": 0, "broken": 0, "expired": 0, "refused": 0, "reopened": 0}
        self._api = api
        self._clock = clock
        self._jitter = jitter
        self._on_changed = on_changed
        self._failures = 0
        self._opened_at = 0.0
        self._following: asyncio.Task[None] | None = None
        self._hastened = asyncio.Event()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            pause = RESUME_SECONDS * self._jitter()
            self._opened_at = self._clock.monotonic()
            self._following = asyncio.create_task(self._follow(), name="kubernetes-watch")
            try:
                await self._following
                self._ended("ended")
            except asyncio.CancelledError:
                honour_cancellation()
                self._ended("reopened")
            except WatchExpiredError:
                self.state.version = None
                self._ended("expired")
            except WatchError as error:
                self._fail("refused" if error.code else "broken", error.code)
                pause = max(self._backoff(), error.retry_after or 0)
            except SecretsError as error:
                self._fail("broken", 0)
                pause = max(self._backoff(), error.retry_after or 0)
            await self._pause(pause)

    def hasten(self) -> None:
        """Open the watch at once if it waits to be opened again, as its server is back."""
        self._failures = 0
        self._hastened.set()

    def reopen(self) -> None:
        """Open the watch again, as its server may be gone; one just opened is left alone."""
        is_new = self._clock.monotonic() - self._opened_at < REOPEN_SECONDS
        if self._following is not None and not is_new:
            self._following.cancel()

    async def _pause(self, seconds: float) -> None:
        self._hastened.clear()
        with suppress(TimeoutError):
            async with self._clock.timeout_at(self._clock.monotonic() + seconds):
                await self._hastened.wait()

    async def _follow(self) -> None:
        """Open one watch and follow it to its end."""
        if (version := self.state.version) is None:
            found, version = await list_states(self._api, self.path, self._selector())
            self._tell(self.state.complete(found, version))
        began, seconds = self._clock.monotonic(), LIFE_SECONDS * (1 + self._jitter() / 2)
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(int(seconds)),
            "resourceVersion": version,
            **self._selector(),
        }
        async with self._api.watch(self.path, query, idle_seconds=seconds + GRACE_SECONDS) as body:
            self._live()
            before = self.events
            async for line in read_lines(body):
                event = read_event(line)
                self.events += 1
                self._failures = 0
                self._tell(self.state.take(event))
        is_short = self._clock.monotonic() - began < SHORTEST_SECONDS
        if is_short and self.events == before:
            raise WatchError("the watch ended as soon as it began")

    def _tell(self, changed: Changes) -> None:
        if changed:
            self._on_changed(changed)

    @property
    def path(self) -> str:
        """The path of the collection that is watched."""
        return f"/api/v1/namespaces/{self.namespace}/secrets"

    def _selector(self) -> dict[str, str]:
        # Where a Role has `resourceNames`, list and watch are allowed by this selector alone.
        return {} if self.name is None else {"fieldSelector": f"metadata.name={self.name}"}

    def _live(self) -> None:
        if not self.is_live:
            _log.info(
                "kubernetes.watch_live",
                namespace=self.namespace,
                name=self.name,
                watched=self.state.secrets,
            )
        self.is_live, self.down_since, self.failure = True, None, None

    def _ended(self, cause: str) -> None:
        self.ends[cause] += 1
        if self.down_since is None:
            self.down_since = self._clock.monotonic()

    def _fail(self, cause: str, code: int) -> None:
        self._ended(cause)
        self._failures += 1
        if self.is_live or self.failure != code:
            _log.warning(
                "kubernetes.watch_failed",
                namespace=self.namespace,
                name=self.name,
                cause=cause,
                status=code or None,
            )
        self.is_live, self.failure = False, code

    def _backoff(self) -> float:
        doublings = min(self._failures - 1, 16)
        longest = min(RESUME_SECONDS * (1 << doublings), LONGEST_PAUSE_SECONDS)
        return longest * (0.5 + 0.5 * self._jitter())
