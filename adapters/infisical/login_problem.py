"""Why a login failed, kept for those who ask while it is too early for another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adapters.infisical import reasons
from adapters.infisical.login import REFUSAL_ADVICE
from domain.model.errors import UpstreamError


@dataclass(frozen=True, slots=True)
class LoginProblem:
    """What everybody who waited for a login makes an error of their own from."""

    advice: str
    reason: str
    upstream_request_id: str | None = None
    kind: type[UpstreamError] = UpstreamError
    retry_after: float | None = None

    @property
    def is_refusal(self) -> bool:
        """Whether Infisical answered that it does not let this identity in."""
        return self.reason in {reasons.LOGIN_REFUSED, reasons.LOGIN_LOCKED}

    @property
    def is_shared(self) -> bool:
        """Whether requests that come soon after fail by it without a login of their own."""
        return self.reason in {reasons.CREDENTIALS_UNREADABLE, reasons.TOKEN_REFUSED}

    def error(self) -> UpstreamError:
        """Return a new error."""
        return self.kind(
            self.advice,
            reason=self.reason,
            upstream_request_id=self.upstream_request_id,
            retry_after=self.retry_after,
        )


REFUSED: Final = LoginProblem(REFUSAL_ADVICE, reasons.LOGIN_REFUSED)
USELESS_TOKENS: Final = LoginProblem(
    "Infisical refuses even fresh tokens; check the machine identity's token limits.",
    reasons.TOKEN_REFUSED,
)
