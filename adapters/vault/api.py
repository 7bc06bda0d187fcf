"""Reads secrets through the HTTP API: authorized, in the mount's own version, with few retries.

Which version of the key-value engine a mount has is asked for, never guessed from an answer: a
value of version 1 can look exactly like an answer of version 2, and a mount of version 1 read as
one of version 2 even answers 200 for keys below "data/" (measured). The server tells the version of
a mount to every token that has some right in it. An operator may upgrade a mount, or put another in
its place, so the version is asked for again after an answer that the other version would give.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from adapters.vault import reasons
from adapters.vault.addressing import Place
from adapters.vault.error_map import doubts_token, is_upgrading
from adapters.vault.wire import (
    BAD_REQUEST,
    FORBIDDEN,
    NOT_FOUND,
    OK,
    Call,
    mount_path,
    namespace_header,
    secret_path,
    whole_number,
)
from domain.model.errors import UpstreamError

if TYPE_CHECKING:
    from adapters.vault.access import Access
    from adapters.vault.wire import Answer, Calls
    from domain.model.errors import SecretsError
    from domain.model.reference import SecretQuery
    from ports.clock import Clock


KvVersion: TypeAlias = Literal[1, 2]

RECHECK_SECONDS: Final = 10.0
"""Between two questions about one mount: misses must not double the calls."""

STANDBY_LAG_SECONDS: Final = 0.2
"""Standby nodes answer reads themselves, and 29 of 100 reads right after a write missed it
(measured); so a version that is not there yet is asked for once more."""

MAX_AUTHORIZATIONS: Final = 3
"""Of one call: its token may be replaced, and the new one be revoked, in the same moment."""


@dataclass(slots=True)
class _Known:
    version: KvVersion
    asked_at: float


class KvVersions:
    """Remembers the versions of mounts, of which there are as many as the operator allows."""

    def __init__(self, clock: Clock, fixed: KvVersion | None = None) -> None:
        """Take a clock, and the version where the operator says it for all mounts."""
        self._clock = clock
        self._fixed = fixed
        self._known: dict[tuple[str, str], _Known] = {}

    def known(self, place: Place) -> KvVersion | None:
        """Return the version of a place's mount, None where it must be asked for."""
        if self._fixed is not None:
            return self._fixed
        found = self._known.get((place.namespace, place.mount))
        return None if found is None else found.version

    def learn(self, place: Place, answer: Answer) -> KvVersion:
        """Take the version from an answer 200 to the question about the mount.

        Raises:
            UpstreamError: the mount is another than asked for, or no key-value engine.
        """
        if answer.member("data", "path") != f"{place.mount}/":
            raise UpstreamError(
                "Vault has no secrets engine mounted there; check VAULT_MOUNT, or the mount that "
                "the policy chooses.",
                reason=reasons.MOUNT_NOT_FOUND,
                upstream_request_id=answer.request_id,
            )
        if answer.member("data", "type") not in ("kv", "generic"):
            raise UpstreamError(
                "The mount is no key-value engine; name one that keeps secrets.",
                reason=reasons.MOUNT_NOT_KV,
                upstream_request_id=answer.request_id,
            )
        version: KvVersion = 2 if answer.member("data", "options", "version") == "2" else 1
        self._known[place.namespace, place.mount] = _Known(version, self._clock.monotonic())
        return version

    def is_doubtful(self, place: Place, answer: Answer) -> bool:
        """Say whether the answer is one that a mount of the other version would give.

        True at most once in RECHECK_SECONDS for each mount, save where only the other version
        answers so.
        """
        found = self._known.get((place.namespace, place.mount))
        if found is None:
            return False
        if _is_of_other_version(found.version, answer):
            return True
        now = self._clock.monotonic()
        if not _may_be_of_other_version(answer) or now < found.asked_at + RECHECK_SECONDS:
            return False
        found.asked_at = now
        return True

    def forget(self) -> None:
        """Ask for every version again."""
        self._known.clear()


def _is_of_other_version(version: KvVersion, answer: Answer) -> bool:
    if version == 1:
        # Only version 2 explains a 404, whether or not the secret exists.
        return answer.status == NOT_FOUND and bool(answer.warnings)
    # Only version 1 gives advice how long to keep a value.
    return answer.status == OK and bool(whole_number(answer.member("lease_duration")))


def _may_be_of_other_version(answer: Answer) -> bool:
    if answer.status in {FORBIDDEN, NOT_FOUND}:
        return not answer.inline_failed
    return answer.status == BAD_REQUEST and is_upgrading(answer)


class VaultApi:
    """Reads one secret at a time; safe for concurrent calls of one event loop."""

    def __init__(self, *, calls: Calls, access: Access, versions: KvVersions, clock: Clock) -> None:
        self._calls = calls
        self._access = access
        self._versions = versions
        self._clock = clock

    async def read(self, query: SecretQuery) -> tuple[KvVersion, Answer]:
        """Read a secret, and return which version its mount has beside the answer.

        A mount without versions is not asked for one.

        Raises:
            SecretsError: there is no authorization, no answer, or no key-value mount.
        """
        place = Place.of(query.location)
        known = self._versions.known(place)
        if known is None:
            answer = await self._ask_version(place, query)
            if answer.status != OK:
                raise self.error_for(answer)
            known = self._versions.learn(place, answer)
        answer = await self._read(place, known, query)
        if self._versions.is_doubtful(place, answer):
            about = await self._ask_version(place, query)
            if about.status == OK:
                self._versions.learn(place, about)
        # It may also be another read that has found out meanwhile.
        found = self._versions.known(place) or known
        if found != known:
            return found, await self._read(place, found, query)
        return known, answer

    async def _ask_version(self, place: Place, query: SecretQuery) -> Answer:
        return await self._authorized(place, mount_path(place.mount), query)

    async def _read(self, place: Place, kv_version: KvVersion, query: SecretQuery) -> Answer:
        path = secret_path(place.mount, kv_version, query.location.path)
        version = query.version if kv_version == 2 else None  # noqa: PLR2004  the versioned one
        answer = await self._authorized(place, path, query, version)
        if (
            version is not None
            and answer.status == NOT_FOUND
            and answer.member("data") is None
            and self._clock.monotonic() + STANDBY_LAG_SECONDS < query.deadline
        ):
            await self._clock.sleep(STANDBY_LAG_SECONDS)
            answer = await self._authorized(place, path, query, version)
        return answer

    async def sees_mount(self, query: SecretQuery) -> bool:
        """Say whether the authorization of a query has any right in its mount.

        Raises:
            SecretsError: there is no authorization, or no answer.
        """
        answer = await self._ask_version(Place.of(query.location), query)
        return answer.status == OK

    def error_for(self, answer: Answer) -> SecretsError:
        """Return the error for an answer that is no success."""
        return self._access.error_for(answer)

    async def _authorized(
        self, place: Place, path: str, query: SecretQuery, version: str | None = None
    ) -> Answer:
        """Make a call, and once more with another authorization where that may help."""
        folder = query.location.path.rpartition("/")[0]
        attempts = 0
        while True:
            attempts += 1
            used = await self._access.authorize(place, query.caller)
            headers = {**namespace_header(place.namespace), **used.headers}
            call = Call(
                "GET",
                path,
                headers=headers,
                version=version,
                tenant=place.engine + folder,
                mount=place.engine,
            )
            answer = await self._calls.call(call, query.deadline)
            if not doubts_token(answer):
                if not answer.inline_failed and answer.status in {OK, NOT_FOUND}:
                    used.confirm()
                return answer
            if not used.doubt() or attempts == MAX_AUTHORIZATIONS:
                return answer
