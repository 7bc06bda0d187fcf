"""Reads secrets through the HTTP API: authorized, in the mount's own version, with few retries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.vault.addressing import Place
from adapters.vault.answer import NOT_FOUND, OK
from adapters.vault.call import Call, namespace_header
from adapters.vault.error_map import doubts_token
from adapters.vault.wire_paths import mount_path, secret_path

if TYPE_CHECKING:
    from adapters.vault.access import Access
    from adapters.vault.answer import Answer
    from adapters.vault.call import Calls
    from adapters.vault.mounts import KvVersion, KvVersions
    from domain.model.errors import SecretsError
    from domain.model.reference import SecretQuery
    from ports.clock import Clock

STANDBY_LAG_SECONDS: Final = 0.2
"""Standby nodes answer reads themselves, and 29 of 100 reads right after a write missed it
(measured); so a version that is not there yet is asked for once more."""


MAX_AUTHORIZATIONS: Final = 3
"""Of one call: its token may be replaced, and the new one be revoked, in the same moment."""


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
                key=path,
                mount=place.engine,
            )
            answer = await self._calls.call(call, query.deadline)
            if not doubts_token(answer):
                if not answer.inline_failed and answer.status in {OK, NOT_FOUND}:
                    self._access.confirm(used)
                return answer
            if not self._access.doubt(used) or attempts == MAX_AUTHORIZATIONS:
                return answer
