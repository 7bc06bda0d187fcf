"""The check at start and behind probes: is there an answer from etcd, and are all rights there?"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import structlog
from typing_extensions import override

from adapters.kubernetes import reasons
from adapters.kubernetes.answer import CREATED, FORBIDDEN, NOT_FOUND, OK, SERVER_ERRORS, error_for
from adapters.kubernetes.rights import REVIEW_PATH, WHOAMI_PATH, needed, roles_text
from adapters.kubernetes.watch_events import METADATA
from adapters.upstream.json_members import member_of
from adapters.upstream.store_check import UpstreamCheck
from domain.model.errors import SecretNotFound
from ports.store_check import StoreMisconfiguredError, StoreUnreachableError

if TYPE_CHECKING:
    from adapters.kubernetes.api import KubernetesApi
    from adapters.kubernetes.bounds import Bounds
    from adapters.kubernetes.rights import Right
    from ports.clock import Clock

RIGHTS_SECONDS: Final = 300.0
"""How long rights that were all there are not asked for again; a denied read has them asked for."""

PROBE_NAME: Final = "wasmcloud-secrets-probe"
"""Read in the hope of "no such Secret": it proves address, trust, credentials, right and etcd."""

# A wrong address and refused credentials are not among them: they heal when an operator acts
# elsewhere, or when the kubelet has written the next token.
_MISCONFIGURED: Final = frozenset(
    {
        reasons.TOKEN_UNREADABLE,
        "kubernetes_certificate_refused",
        "kubernetes_certificate_untrusted",
    }
)
_log = structlog.get_logger()


class KubernetesCheck(UpstreamCheck):
    """Reads a Secret's metadata, and reviews the service's own rights now and then."""

    misconfigured: ClassVar[frozenset[str]] = _MISCONFIGURED

    def __init__(
        self, api: KubernetesApi, bounds: Bounds, clock: Clock, *, url: str, watches: bool
    ) -> None:
        """Prepare the check.

        Args:
            bounds: what requests may choose, and so what rights are needed for.
            watches: whether list and watch are needed too.
        """
        super().__init__(f"The Kubernetes API server at {url}", "the network", clock)
        self._api = api
        self._needed = needed(bounds, watches=watches)
        self._impersonates = bool(bounds.users)
        names = [name for namespace, name in bounds.secrets if namespace == bounds.namespace]
        probe = min(names, default=PROBE_NAME)
        self._probe = f"/api/v1/namespaces/{bounds.namespace}/secrets/{probe}"
        self._reviewed_until: float | None = None
        self._has_no_own_rights = False

    @override
    async def verdict(self, deadline: float) -> Exception | None:
        answer = await self._api.send("GET", self._probe, deadline=deadline, accept=METADATA)
        is_denied = answer.status == FORBIDDEN
        error = None if answer.status == OK else error_for(answer)
        if answer.status == NOT_FOUND and isinstance(error, SecretNotFound):
            error = None
        if error is not None and not is_denied:
            return self.failure(error)
        if self._is_reviewed() and (not is_denied or self._has_no_own_rights):
            return None
        missing = await self._missing(deadline)
        own = [right for right in missing if right.resource == "secrets"]
        self._has_no_own_rights = self._impersonates and bool(own)
        if self._has_no_own_rights:
            # Requests may all run as other users; the service may well have no right of its own.
            _log.warning(
                "kubernetes.own_rights_missing",
                rights=len(own),
                advice="The service account may read no Secret itself; that is well if every "
                "request is made in the name of another account.",
            )
            missing = [right for right in missing if right not in own]
            is_denied = False
        if not missing:
            self._reviewed_until = self._clock.monotonic() + RIGHTS_SECONDS
        if missing and await self._is_starting(deadline):
            return StoreUnreachableError(
                f"{self._server} is still starting, and denies what it may allow in a moment."
            )
        if missing:
            return await self._lacks(missing, deadline)
        if is_denied:
            return StoreUnreachableError(
                f"{self._server} denies a read that its own review "
                "allows; it may still be starting."
            )
        return None

    def _is_reviewed(self) -> bool:
        until = self._reviewed_until
        return until is not None and self._clock.monotonic() < until

    async def _missing(self, deadline: float) -> list[Right]:
        missing: list[Right] = []
        for right in self._needed:
            answer = await self._api.send(
                "POST", REVIEW_PATH, deadline=deadline, json=right.review()
            )
            if answer.status != CREATED:
                raise error_for(answer)
            if member_of(answer.document, "status", "allowed") is not True:
                missing.append(right)
        return missing

    async def _is_starting(self, deadline: float) -> bool:
        answer = await self._api.send("GET", "/readyz", deadline=deadline, judged=False)
        return answer.status >= SERVER_ERRORS

    async def _lacks(self, missing: list[Right], deadline: float) -> StoreMisconfiguredError:
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        answer = await self._api.send("POST", WHOAMI_PATH, deadline=deadline, json=review)
        name = member_of(answer.document, "status", "userInfo", "username")
        account = name if isinstance(name, str) and name.isprintable() else None
        return StoreMisconfiguredError(
            "RBAC denies this backend what its settings make use of. Apply this to the cluster, or "
            f"narrow the settings:\n{roles_text(self._needed, missing, account)}"
        )
