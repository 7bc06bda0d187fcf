"""Why a login failed, kept for requests that come while it is too early for another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.infisical import reasons
from adapters.infisical.login import REFUSAL_ADVICE
from domain.model.errors import UpstreamError

if TYPE_CHECKING:
    from typing import Self


@dataclass(frozen=True, slots=True)
class LoginProblem:
    """Why a login failed; each request that waited for it makes an error of its own from this."""

    advice: str
    reason: str
    upstream_request_id: str | None = None
    kind: type[UpstreamError] = UpstreamError
    retry_after: float | None = None

    @classmethod
    def of(cls, error: UpstreamError) -> Self:
        """Keep what an error says."""
        return cls(
            error.advice, error.reason, error.upstream_request_id, type(error), error.retry_after
        )

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
