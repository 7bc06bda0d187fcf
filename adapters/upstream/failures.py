"""The typed errors of calls to a store, with advice that names its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.upstream.engine import Failure
from domain.model.errors import (
    CallWithheld,
    RateLimited,
    StoreTooSlow,
    StoreUnavailable,
    UpstreamError,
)
from domain.model.wording import seconds_in_words

if TYPE_CHECKING:
    from adapters.upstream.config import UpstreamConfig
    from adapters.upstream.message import UpstreamResponse


def transport_error(
    failure: Failure, config: UpstreamConfig, *, proven: bool = False
) -> UpstreamError:
    """Return the error for a call without a usable answer.

    Args:
        failure: what became of it.
        config: the store's names in texts.
        proven: whether the store has answered at this address before. What shows another
            certificate then, or answers what the store never does, stands in the store's place.
    """
    name, reason = config.name, f"{config.code}_{failure}"
    match failure:
        case Failure.UNREACHABLE:
            return StoreUnavailable(_unreachable(config), reason=reason)
        case Failure.NO_DESCRIPTORS:
            return StoreUnavailable(
                f"This service has no file descriptor left for a connection to {name}; raise its "
                "limit (LimitNOFILE of systemd, ulimit -n).",
                reason=reason,
            )
        case Failure.TIMED_OUT:
            return StoreTooSlow(
                f"{name} did not answer in time; check its health, and try again in 10 seconds.",
                reason=reason,
            )
        case Failure.UNTRUSTED:
            advice = f"{name}'s certificate is not trusted; set {config.ca_setting}."
        case Failure.REFUSED:
            advice = (
                f"{name} requires a client certificate, or refuses the one that it was shown; "
                f"check {config.certificate_setting}."
            )
        case Failure.TOO_LARGE:
            advice = (
                f"{name}'s answer is too large to be one secret: check {config.url_setting} and "
                "any proxy before it, or store a smaller value."
            )
        case Failure.UNREADABLE:
            advice = f"{name}'s answer cannot be read; check any proxy before it."
    kind = StoreUnavailable if proven and failure is not Failure.TOO_LARGE else UpstreamError
    return kind(advice, reason=reason)


def _unreachable(config: UpstreamConfig) -> str:
    proxy = config.proxy()
    if proxy is None:
        return f"{config.name} cannot be reached; check {config.url_setting} and the network."
    return (
        f"{config.name} cannot be reached by way of the proxy in {proxy.setting}; check both "
        f"addresses, and list the host of {config.url_setting} in NO_PROXY if no proxy is needed."
    )


def foreign_answer(config: UpstreamConfig, *, proven: bool) -> UpstreamError:
    """Return the error for an answer that is not the store's.

    Load balancers, captive portals and web servers answer for a store that is away. Before the
    store has answered at all (`proven`), that means that the address is wrong. Once it has answered
    there, anything else's answer is an outage.
    """
    if proven:
        return StoreUnavailable(
            f"Something other than {config.name} answers at its address, where it answered "
            f"before; check {config.name}'s health and any proxy before it.",
            reason=f"{config.code}_not_answering",
        )
    return UpstreamError(
        f"No {config.name} API answers at {config.url_setting}; set it to the server's address.",
        reason=f"{config.code}_wrong_address",
    )


def rate_limited(
    seconds: float, config: UpstreamConfig, kind: type[RateLimited] = RateLimited
) -> RateLimited:
    """Return the error for a call that the server's own limit refuses, or would refuse."""
    return kind(
        f"{config.name} limits the rate of calls; try again in {seconds_in_words(seconds)}, or "
        "raise its limits.",
        reason=f"{config.code}_rate_limited",
        retry_after=seconds,
    )


def not_resent(
    former: UpstreamResponse | UpstreamError | None, refusal: UpstreamError
) -> UpstreamResponse | UpstreamError:
    """Return why a request fails that may not be sent, perhaps after it was sent in vain."""
    if former is None or not isinstance(refusal, CallWithheld):
        return refusal
    if isinstance(former, RateLimited):
        # The store has refused it; the refusal knows better when it may be sent.
        return RateLimited(refusal.advice, reason=refusal.reason, retry_after=refusal.retry_after)
    return former
