"""The check at start and behind probes: do credentials, project and environment hold?"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import structlog
from typing_extensions import override

from adapters.infisical import reasons
from adapters.infisical.addressing import Addressing
from adapters.infisical.protocol import Wanted
from adapters.upstream.store_check import UpstreamCheck
from domain.model.errors import SecretNotFound, SecretsError, Unauthorized
from domain.model.reference import SecretLocation
from domain.model.wording import seconds_in_words
from ports.store_check import StoreLimitedError, StoreMisconfiguredError

if TYPE_CHECKING:
    from adapters.infisical.client import InfisicalApi
    from adapters.infisical.settings import InfisicalSettings
    from ports.clock import Clock

PROBE_NAME: Final = "WASMCLOUD_SECRETS_PROBE_THAT_NOBODY_STORES"
"""Asked for in the hope of "no such secret": the one answer that proves everything around it, and
needs no more rights than reading secrets does."""

_ADVICE: Final = {
    reasons.FOLDER_NOT_FOUND: "Infisical knows the project, but not the environment or the folder; "
    "check INFISICAL_ENVIRONMENT (the slug such as prod, not the name) and INFISICAL_SECRET_PATH.",
    reasons.FOLDER_NAME_INVALID: "Infisical refuses the folder's name; check "
    "INFISICAL_SECRET_PATH.",
    reasons.NOT_A_MEMBER: "The machine identity is not a member of the project, or its "
    "membership of the organisation is inactive; add it or activate it there, or check "
    "INFISICAL_PROJECT_ID.",
}
"""What is better said of the configuration than of a request."""

_log = structlog.get_logger()


class InfisicalCheck(UpstreamCheck):
    """Logs in and reads a secret that does not exist where the configuration points."""

    # A refused login and a wrong address are not among them: both heal when an operator acts
    # elsewhere, and a process that ends and is started again tries to log in each time, which locks
    # the identity for all replicas.
    misconfigured: ClassVar[frozenset[str]] = frozenset(
        {
            reasons.CERTIFICATE_UNTRUSTED,
            reasons.PROJECT_NOT_FOUND,
            reasons.PROJECT_TYPE,
            reasons.WRONG_ORGANIZATION,
            *_ADVICE,
        }
    )

    def __init__(self, settings: InfisicalSettings, api: InfisicalApi, clock: Clock) -> None:
        super().__init__(f"Infisical at {settings.base_url}", "INFISICAL_BASE_URL", clock)
        addressing = Addressing.from_settings(settings)
        self._probe = SecretLocation(
            path="/" + "/".join((*addressing.bounds.base, PROBE_NAME)),
            scope=(("environment", settings.environment), ("project_id", addressing.project_id)),
        )
        self._api = api

    @override
    async def verdict(self, deadline: float) -> Exception | None:
        if (pause := self._api.reads().pause_seconds) > 0:
            # A read would use one of the few left, or have a place reserved for the probe.
            return StoreLimitedError(
                f"{self._server} takes no read for {seconds_in_words(pause)}, as the rate limit "
                "has it; refusals carry a retry time. Raise the limit if this happens often."
            )
        hoped_for = SecretNotFound.default_reason
        await self._api.read(Wanted(self._probe), deadline, expected=hoped_for)
        return None

    @override
    def failure(self, error: SecretsError) -> Exception | None:
        if error.reason in _ADVICE:
            return StoreMisconfiguredError(_ADVICE[error.reason])
        is_answer = isinstance(error, (SecretNotFound, Unauthorized))
        if error.reason in self.misconfigured or not is_answer:
            return super().failure(error)
        if isinstance(error, Unauthorized):
            # Rights may be limited to folders below: the credentials hold, the rest shows later.
            _log.warning(
                "infisical.check_inconclusive",
                reason=error.reason,
                advice="The identity may log in and not read the configured folder; that is well "
                "if its rights are limited to folders below. Requests show the rest.",
            )
        return None
