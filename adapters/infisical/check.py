"""The check at start and behind probes: do credentials, project and environment hold?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from typing_extensions import override

from adapters.infisical import reasons
from adapters.infisical.addressing import Addressing
from domain.model.errors import SecretNotFound, SecretsError, Unauthorized
from domain.model.reference import SecretLocation
from domain.model.wording import seconds_in_words
from ports.store_check import (
    StoreCheck,
    StoreLimitedError,
    StoreMisconfiguredError,
    StoreUnreachableError,
)

if TYPE_CHECKING:
    from adapters.infisical.client import InfisicalApi
    from adapters.infisical.settings import InfisicalSettings
    from ports.clock import Clock

CHECK_SECONDS = 8.0
"""As long as a request has, unless it is configured otherwise."""

PROBE_NAME = "WASMCLOUD_SECRETS_PROBE_THAT_NOBODY_STORES"
"""Asked for in the hope of "no such secret": the one answer that proves everything around it, and
needs no more rights than reading secrets does."""

# A refused login and a wrong address are not among them: both heal when an operator mends them
# elsewhere, and a process that ends and is started again tries to log in each time, which locks the
# identity for all replicas.
_MISCONFIGURED = frozenset(
    {
        reasons.CERTIFICATE_UNTRUSTED,
        reasons.PROJECT_NOT_FOUND,
        reasons.PROJECT_TYPE,
        reasons.FOLDER_NOT_FOUND,
        reasons.FOLDER_NAME_INVALID,
        reasons.NOT_A_MEMBER,
        reasons.WRONG_ORGANIZATION,
    }
)
_log = structlog.get_logger()


class InfisicalCheck(StoreCheck):
    """Logs in and reads a secret that does not exist where the configuration points."""

    def __init__(self, settings: InfisicalSettings, api: InfisicalApi, clock: Clock) -> None:
        addressing = Addressing.from_settings(settings)
        self._base_url = settings.base_url
        self._probe = SecretLocation(
            path="/" + "/".join((*addressing.base, PROBE_NAME)),
            scope=(("environment", settings.environment), ("project_id", addressing.project_id)),
        )
        self._api = api
        self._clock = clock

    @override
    async def check(self) -> None:
        if (pause := self._api.reads().pause_seconds) > 0:
            # A read would use one of the few left, or have a place reserved for the probe.
            raise StoreLimitedError(
                f"Infisical at {self._base_url} takes no read for {seconds_in_words(pause)}, as "
                "the rate limit has it; refusals carry a retry time. Raise the limit if "
                "this happens often."
            )
        deadline = self._clock.monotonic() + CHECK_SECONDS
        verdict: Exception | None = StoreUnreachableError(
            f"Infisical at {self._base_url} did not answer within {CHECK_SECONDS:.0f} seconds; "
            "check its health and INFISICAL_BASE_URL."
        )
        try:
            async with self._clock.timeout_at(deadline):
                await self._api.read(
                    self._probe, None, deadline, expected=SecretNotFound.default_reason
                )
                verdict = None
        except TimeoutError:
            pass
        except SecretsError as error:
            verdict = _verdict(error, self._base_url)
        if verdict is not None:
            raise verdict


_ADVICE = {
    reasons.FOLDER_NOT_FOUND: "Infisical knows the project, but not the environment or the folder; "
    "check INFISICAL_ENVIRONMENT (the slug such as prod, not the name) and INFISICAL_SECRET_PATH.",
    reasons.FOLDER_NAME_INVALID: "Infisical refuses the folder's name; check "
    "INFISICAL_SECRET_PATH.",
    reasons.NOT_A_MEMBER: "The machine identity is not a member of the project; add it there, or "
    "check INFISICAL_PROJECT_ID.",
}
"""What is better said of the configuration than of a request."""


def _verdict(error: SecretsError, base_url: str) -> Exception | None:
    if error.reason in _MISCONFIGURED:
        return StoreMisconfiguredError(_ADVICE.get(error.reason, error.advice))
    if isinstance(error, SecretNotFound):
        return None
    if isinstance(error, Unauthorized):
        # Rights may well be limited to folders below: the credentials hold, the rest shows later.
        _log.warning("infisical.check_inconclusive", reason=error.reason)
        return None
    # Busy is a rate limit too, but a store that is too slow for all requests is not answering.
    is_limited = error.reason == reasons.RATE_LIMITED
    kind = StoreLimitedError if is_limited else StoreUnreachableError
    return kind(f"Infisical at {base_url}: {error.advice}")
