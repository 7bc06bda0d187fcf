"""How the Infisical client stands, and the metrics made of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from adapters.upstream.statistics import upstream_samples
from domain.model.opaque import opaque
from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adapters.upstream.statistics import AdmissionState, Histogram


class TokenState(NamedTuple):
    """How the access token stands.

    Attributes:
        age_seconds: since the last login that succeeded.
        remaining_seconds: for which the token is still used; 0 once it was refused.
    """

    age_seconds: float
    remaining_seconds: float


class WithheldLogins(NamedTuple):
    """That no login is sent, because others were refused.

    Attributes:
        seconds: until one may be.
        advice: what to do about it.
    """

    seconds: float
    advice: str


@opaque
class InfisicalState:
    """How things stand now.

    Attributes:
        token: None before the first login.
        login_pause_seconds: for which no login is sent: Infisical asked for it, or refused others.
        withheld: that it refused others; None if it did not.
        reads: what limits them.
        calls: HTTP calls that ended, logins included, by the class of their status.
        call_durations: how long they took, by "login" or "read" and that class.
        read_waits: how long reads that were sent had waited for admission, each attempt for itself.
    """

    token: TokenState | None
    login_pause_seconds: float
    withheld: WithheldLogins | None
    reads: AdmissionState
    calls: Mapping[str, int]
    call_durations: Mapping[tuple[str, str], Histogram]
    read_waits: Histogram

    @property
    def login_advice(self) -> str | None:
        """What to do where no read is possible for want of a login; None if one is."""
        is_usable = self.token is not None and self.token.remaining_seconds > 0
        return None if self.withheld is None or is_usable else self.withheld.advice


def infisical_samples(state: InfisicalState) -> Iterator[Sample]:
    """Yield every figure of the Infisical client as it is now."""
    reads = state.reads
    if state.token is not None:
        yield Sample(
            "infisical_login_age_seconds",
            "Seconds since the last login to Infisical that succeeded; absent before.",
            state.token.age_seconds,
        )
        yield Sample(
            "infisical_token_remaining_seconds",
            "Seconds for which Infisical's access token is still used, 0 without a usable one; "
            "absent before the first.",
            state.token.remaining_seconds,
        )
    for call, seconds in (("login", state.login_pause_seconds), ("read", reads.pause_seconds)):
        yield Sample(
            "infisical_pause_seconds",
            "Seconds until the next call of this kind may be sent, for a rate limit or, as logins, "
            "after refused ones; 0 if it may be now.",
            seconds,
            (("call", call),),
        )
    for status, count in state.calls.items():
        yield Sample(
            "infisical_calls_total",
            "HTTP calls to Infisical that ended, logins and repeated tries included, by the class "
            "of the answer's status.",
            count,
            (("status", status),),
            "counter",
        )
    yield from upstream_samples(
        "infisical", "Infisical", reads, state.call_durations, state.read_waits
    )
