"""Keeps secrets that this process has handed out: reads them again, and says which must go."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, final

from domain.model.errors import OtherError, RequestError, UpstreamError
from domain.model.secret import STALE, Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from domain.model.authenticated_request import AskedSecret
    from domain.model.secret_uri import SecretUri
    from domain.model.workload import Workload
    from domain.use_cases.read_for_workload import ReadsForWorkloads, WorkloadRead
    from ports.clock import Clock

    _Wanted = tuple[Workload, AskedSecret, tuple[tuple[str, str], ...]]
    """For whom, and what: the same for every file that holds it, in every plan."""

_AT_A_TIME: Final = 64
"""Reads under way; more would make one agent a flood for its store."""


@dataclass(frozen=True, slots=True)
class Held:
    """A value that may be used.

    Attributes:
        confirmed_at: monotonic seconds at which the read began that last gave it.
        trouble: why it could not be read again since; None if it was.
    """

    secret: Secret
    confirmed_at: float
    trouble: Absent | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no value that may be used. `request_id`: that of the audit record of the refusal."""

    error: RequestError
    request_id: str


State: TypeAlias = Held | Absent


@dataclass(frozen=True, slots=True, eq=False)
class FollowedSecret:
    """One secret, and for whom it is read. `name`: what its consumer calls it, such as a file's
    name.
    """

    workload: Workload
    wanted: SecretUri
    name: str


@final
class FollowSecrets:
    """Reads secrets again and again, and keeps what a store that is out last gave, for a while.

    A refusal by rules or store, and a secret that is not there, end a value at once. A store that
    does not answer ends it once it is older than allowed.

    Args:
        read: reads one secret for a workload, by a deadline.
        timeout_seconds: for one read.
        max_stale_seconds: how old a value may get that cannot be read again; may be changed.
    """

    def __init__(
        self,
        read: ReadsForWorkloads,
        clock: Clock,
        *,
        timeout_seconds: float,
        max_stale_seconds: float,
    ) -> None:
        self._read = read
        self._clock = clock
        self._timeout = timeout_seconds
        self.max_stale_seconds = max_stale_seconds
        self._places = asyncio.Semaphore(_AT_A_TIME)
        self._states: dict[_Wanted, State] = {}

    def state(self, followed: FollowedSecret) -> State | None:
        """Return what is known of one; None before its first read."""
        return self._states.get(_wanted(followed))

    def keep_only(self, secrets: Iterable[FollowedSecret]) -> None:
        """Forget what is known of all others."""
        kept = {_wanted(followed) for followed in secrets}
        self._states = {wanted: self._states[wanted] for wanted in self._states.keys() & kept}

    async def refresh(
        self, secrets: Iterable[FollowedSecret], ended: Callable[[FollowedSecret, Absent], None]
    ) -> None:
        """Read all of them once. `ended`: called as soon as one turns out to have no value, while
        others are still read.
        """

        async def one(followed: FollowedSecret) -> None:
            async with self._places:
                began = self._clock.monotonic()
                read = await self._read(followed.workload, followed.wanted, began + self._timeout)
            state = self._next(self.state(followed), read, began)
            self._states[_wanted(followed)] = state
            if isinstance(state, Absent):
                ended(followed, state)

        async with asyncio.TaskGroup() as reads:
            for followed in secrets:
                reads.create_task(one(followed))

    def expire(self, secrets: Iterable[FollowedSecret]) -> list[tuple[FollowedSecret, Absent]]:
        """End the values that are too old by now, and return them with the reason."""
        now = self._clock.monotonic()
        expired = []
        for followed in secrets:
            state = self.state(followed)
            if isinstance(state, Held) and now >= state.confirmed_at + self.max_stale_seconds:
                absent = state.trouble or Absent(_unconfirmed(), "")
                self._states[_wanted(followed)] = absent
                expired.append((followed, absent))
        return expired

    def _next(self, before: State | None, read: WorkloadRead, began: float) -> State:
        outcome = read.outcome
        if isinstance(outcome, Secret) and outcome.source != STALE:
            return Held(outcome, began)
        if isinstance(outcome, Secret):
            absent = Absent(_unconfirmed(), read.request_id)
        else:
            absent = Absent(outcome, read.request_id)
        if not isinstance(before, Held) or not isinstance(
            absent.error, (UpstreamError, OtherError)
        ):
            return absent
        if self._clock.monotonic() >= before.confirmed_at + self.max_stale_seconds:
            return absent
        return Held(before.secret, before.confirmed_at, absent)


def _wanted(followed: FollowedSecret) -> _Wanted:
    wanted = followed.wanted
    return followed.workload, wanted.asked, tuple(sorted(wanted.properties.items()))


def _unconfirmed() -> UpstreamError:
    return UpstreamError(
        "The store has not confirmed the value for too long; check that it answers.",
        reason="unconfirmed",
    )
