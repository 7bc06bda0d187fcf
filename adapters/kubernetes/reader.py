"""One read of one Secret: fresh from etcd, or in an outage from the API server's watch cache."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from adapters.kubernetes import reasons
from adapters.kubernetes.answer import FORBIDDEN, NOT_FOUND, OK, SERVER_ERRORS, error_for
from adapters.kubernetes.secret_object import SecretObject
from domain.model.errors import SecretsError, StoreUnavailable, UpstreamError

if TYPE_CHECKING:
    from adapters.kubernetes.answer import Answer
    from adapters.kubernetes.api import KubernetesApi
    from adapters.upstream.engine import Slot
    from ports.clock import Clock

PATIENCE_SECONDS: Final = 2.0
"""How long a fresh read may take where a stale one may stand in: etcd that hangs would hold it for
the server's 60 seconds."""

OUTAGE_SECONDS: Final = 5.0
"""How long reads go to the watch cache at once after a fresh read has failed."""

STARTING_SECONDS: Final = 1.0
"""An API server that has just started denies valid requests for about as long."""

READY_SECONDS: Final = 5.0
"""How long a server is taken for started, so that denials do not multiply the calls."""

_WATCH_CACHE: Final = {"resourceVersion": "0"}
_log = structlog.get_logger()


class Found(NamedTuple):
    """A Secret as it was read. `is_stale`: from the watch cache, maybe older than any bound."""

    secret: SecretObject
    request_id: str | None
    is_stale: bool


class SecretReader:
    """Reads Secrets by GET, the only verb that the service must have.

    Attributes:
        stale_reads: how many were answered from the watch cache.
        outages: how many times reads began to go there.
    """

    def __init__(self, api: KubernetesApi, clock: Clock, *, may_be_stale: bool) -> None:
        """Read nothing yet. `may_be_stale`: the watch cache may answer while etcd does not."""
        self.stale_reads = 0
        self.outages = 0
        self._api = api
        self._clock = clock
        self._may_be_stale = may_be_stale
        self._outage_until = 0.0
        self._started_until = 0.0

    async def read(
        self, namespace: str, name: str, user: str | None, deadline: float, slot: Slot
    ) -> Found:
        """Return a Secret.

        Args:
            namespace: checked by the API's grammar, as `name` is.
            user: whom to impersonate; None for the service's own rights.
            deadline: monotonic seconds.

        Raises:
            SecretNotFound: there is no such Secret.
            Unauthorized: RBAC denies it.
            StoreUnavailable, RateLimited, UpstreamError: there is no usable answer.
        """
        get = partial(
            self._api.send,
            "GET",
            f"/api/v1/namespaces/{namespace}/secrets/{name}",
            user=user,
            slot=slot,
        )
        answer: Answer | None = None
        failure: SecretsError | None = None
        is_starting = False
        if not self._in_outage():
            try:
                answer = await get(deadline=self._patience(deadline))
                if answer.status == FORBIDDEN and await self._may_be_starting(deadline):
                    await self._clock.sleep(STARTING_SECONDS)
                    answer = await get(deadline=self._patience(deadline))
                    is_starting = answer.status == FORBIDDEN and await self._is_starting(deadline)
            except StoreUnavailable as error:
                failure = error
            if is_starting:
                raise StoreUnavailable(
                    "The Kubernetes API server is not ready, and while it starts it denies all "
                    "reads; try again in a few seconds.",
                    reason=reasons.FAILING,
                )
            if answer is not None and answer.status >= SERVER_ERRORS:
                failure = error_for(answer)
        is_away = failure is not None and failure.reason == reasons.UNREACHABLE
        is_stale = self._may_be_stale and not is_away and (answer is None or failure is not None)
        if is_stale:
            self._note_outage(failure)
            answer = await get(deadline=deadline, query=_WATCH_CACHE)
            if answer.status == NOT_FOUND:
                # The watch cache may be behind: that something is absent is not to be concluded.
                raise failure or _etcd_away()
        if answer is None:
            raise failure or _etcd_away()
        found = Found(_secret(answer, namespace, name), answer.request_id, is_stale)
        self.stale_reads += is_stale
        return found

    def _in_outage(self) -> bool:
        return self._may_be_stale and self._clock.monotonic() < self._outage_until

    def _patience(self, deadline: float) -> float:
        if not self._may_be_stale:
            return deadline
        return min(deadline, self._clock.monotonic() + PATIENCE_SECONDS)

    def _note_outage(self, failure: SecretsError | None) -> None:
        if failure is None:
            return
        now = self._clock.monotonic()
        if now >= self._outage_until:
            self.outages += 1
            _log.warning("kubernetes.reads_from_watch_cache", reason=failure.reason)
        self._outage_until = now + OUTAGE_SECONDS

    async def _may_be_starting(self, deadline: float) -> bool:
        """Say whether a denial may be that of an API server which does not know its roles yet.

        Before it knows them it may deny `/readyz` as well, to which a role gives access.
        """
        now = self._clock.monotonic()
        if now < self._started_until or now + STARTING_SECONDS >= deadline:
            return False
        return await self._readiness(deadline) != OK

    async def _is_starting(self, deadline: float) -> bool:
        """Say so after a second denial: what denies `/readyz` still does so for good."""
        status = await self._readiness(deadline)
        if status is None or status >= SERVER_ERRORS:
            return True
        self._note_started()
        return False

    async def _readiness(self, deadline: float) -> int | None:
        """Ask `/readyz`; None where there is no answer."""
        end = min(deadline, self._clock.monotonic() + STARTING_SECONDS)
        try:
            answer = await self._api.send("GET", "/readyz", deadline=end, judged=False)
        except SecretsError:
            return None
        if answer.status == OK:
            self._note_started()
        return answer.status

    def _note_started(self) -> None:
        self._started_until = self._clock.monotonic() + READY_SECONDS


def _secret(answer: Answer, namespace: str, name: str) -> SecretObject:
    if answer.status != OK:
        error = error_for(answer)
        _log.info("kubernetes.read_refused", reason=error.reason, **answer.log_fields())
        raise error
    secret = SecretObject.read(answer.document)
    if secret is None or (secret.namespace, secret.name) != (namespace, name):
        raise UpstreamError(
            "The Kubernetes API server answered something other than that Secret; check what "
            "stands between it and this backend.",
            reason=reasons.ANSWER_UNREADABLE,
            upstream_request_id=answer.request_id,
        )
    return secret


def _etcd_away() -> StoreUnavailable:
    return StoreUnavailable(
        "The Kubernetes API server cannot read etcd just now, and its cache has no such Secret; "
        "try again in 10 seconds.",
        reason=reasons.FAILING,
    )
