"""That a webhook comes from Infisical, is recent, and comes for the first time.

Infisical signs with the key of the webhook, in `x-infisical-signature` (its `webhook-fns.ts`):
`t=<ms>;<hex>`, an HMAC-SHA256 over the raw body, which holds `t` as its `timestamp`. Its alerts use
another form: `t=<ms>,v1=<hex>`, over `<t>.<body>`. Neither can pass for the other: a body of the
first is a JSON object, and `<t>.` before an object is no JSON.
"""

from __future__ import annotations

import hmac
import re
from collections import OrderedDict
from typing import TYPE_CHECKING, ClassVar

from domain.model.strict_json import MalformedJsonError, parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from ports.clock import Clock

WINDOW_SECONDS = 300.0
MAX_REMEMBERED = 16_384

_OVER_BODY = re.compile(r"t=([0-9]{1,15});([0-9a-f]{64})", re.ASCII)
_OVER_TIME_AND_BODY = re.compile(r"t=([0-9]{1,15}),v1=([0-9a-f]{64})", re.ASCII)


class WebhookRefusedError(Exception):
    """The webhook is not acted upon. The text says what to do, and nothing of what was sent.

    Attributes:
        status: the HTTP status of the answer.
        advice: the text.
    """

    reason: ClassVar[str]
    status: ClassVar[int]
    advice: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(self.advice)


class SignatureInvalidError(WebhookRefusedError):
    """No signature, one of no known form, or not made with this key over this body."""

    reason, status = "signature_invalid", 401
    advice = (
        "The signature does not hold; check that the webhook's secret key in Infisical is "
        "INFISICAL_WEBHOOK_KEY, and that nothing in between changes the body."
    )


class SignedBodyMalformedError(WebhookRefusedError):
    """Signed with the key, and yet no JSON object with the signature's own time in it."""

    reason, status = "body_malformed", 422
    advice = "The body is no webhook of a known form; choose the type General in Infisical."


class OutsideWindowError(WebhookRefusedError):
    """Signed too long ago, or too far ahead."""

    reason, status = "outside_window", 401
    advice = "The webhook was signed too long ago or in the future; check the clocks of both sides."


class ReplayedError(WebhookRefusedError):
    """Taken before."""

    reason, status = "replayed", 409
    advice = "This webhook was already taken; if two webhooks for one folder lead here, remove one."


class TooManyWebhooksError(WebhookRefusedError):
    """More came within the window than can be remembered, so that a replay could hide."""

    reason, status = "too_many", 503
    advice = "Too many webhooks came in a short time; flush the cache by hand instead."


class WebhookVerifier:
    """Verifies for one process: other replicas do not share what was seen."""

    def __init__(
        self, key: SecretStr, clock: Clock, *, max_remembered: int = MAX_REMEMBERED
    ) -> None:
        self._key = key
        self._clock = clock
        self._max_remembered = max_remembered
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def verify(self, header: str | None, body: bytes) -> Mapping[str, object]:
        """Return the body as a JSON object, once; what comes again is refused. `header`: the text
        of `x-infisical-signature`, None if it is absent.

        Raises:
            WebhookRefusedError: as its subclasses say; nothing is remembered then.
        """
        milliseconds, signature, timed = self._checked(header or "", body)
        document = _read(body)
        stamp = document.get("timestamp")
        if not (type(stamp) is int and stamp == milliseconds) and (
            not timed or "timestamp" in document
        ):
            raise SignedBodyMalformedError
        if abs(self._clock.now() - milliseconds / 1000) > WINDOW_SECONDS:
            raise OutsideWindowError
        self._remember(signature)
        return document

    def _checked(self, header: str, body: bytes) -> tuple[int, bytes, bool]:
        found = _OVER_BODY.fullmatch(header) or _OVER_TIME_AND_BODY.fullmatch(header)
        if found is None:
            raise SignatureInvalidError
        timed = found.re is _OVER_TIME_AND_BODY
        signed = f"{found[1]}.".encode() + body if timed else body
        expected = hmac.digest(self._key.get_secret_value().encode(), signed, "sha256")
        if not hmac.compare_digest(expected, bytes.fromhex(found[2])):
            raise SignatureInvalidError
        return int(found[1]), expected, timed

    def _remember(self, signature: bytes) -> None:
        now = self._clock.monotonic()
        while self._seen and next(iter(self._seen.values())) <= now:
            self._seen.popitem(last=False)
        if signature in self._seen:
            raise ReplayedError
        if len(self._seen) >= self._max_remembered:
            raise TooManyWebhooksError
        # One signed a whole window ahead stays acceptable for two.
        self._seen[signature] = now + 2 * WINDOW_SECONDS + 1


def _read(body: bytes) -> dict[str, object]:
    try:
        document = parse_json(body)
    except MalformedJsonError:
        document = None
    if not isinstance(document, dict):
        raise SignedBodyMalformedError
    return document
