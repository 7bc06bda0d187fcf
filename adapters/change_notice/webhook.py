"""POST /webhooks/infisical, to be mounted on the admin HTTP.

Infisical waits 15 seconds for an answer, shows the webhook's last status, and does not try again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.change_notice.webhook_path import PATH
from adapters.change_notice.webhook_payload import OtherEvent, read_webhook
from adapters.change_notice.webhook_signature import (
    OutsideWindowError,
    ReplayedError,
    SignatureInvalidError,
    SignedBodyMalformedError,
    TooManyWebhooksError,
    WebhookRefusedError,
)
from ports.transport import ChannelError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from adapters.change_notice.webhook_payload import ChangeNotice
    from adapters.change_notice.webhook_signature import WebhookVerifier
    from ports.clock import Clock

SIGNATURE: Final = "x-infisical-signature"
MAX_BODY_BYTES: Final = 64 * 1024
BODY_SECONDS: Final = 5.0

_STATUS: Final[dict[type[WebhookRefusedError], int]] = {
    SignatureInvalidError: 401,
    OutsideWindowError: 401,
    ReplayedError: 409,
    SignedBodyMalformedError: 422,
    TooManyWebhooksError: 503,
}

_log = structlog.get_logger()


class InfisicalWebhook:
    """Takes notices of changed secrets, whoever may reach the admin HTTP: the signature decides.

    Args:
        announce: raises ChannelError when other replicas could not be told.
    """

    def __init__(
        self,
        verifier: WebhookVerifier,
        announce: Callable[[ChangeNotice], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._verifier = verifier
        self._announce = announce
        self._clock = clock

    def route(self) -> Route:
        """Return what a Starlette application mounts."""
        return Route(PATH, self.take, methods=["POST"])

    async def take(self, request: Request) -> Response:
        """Answer 204, or 4xx or 503 with advice in JSON."""
        body = await self._body(request)
        if isinstance(body, Response):
            return body
        signatures = request.headers.getlist(SIGNATURE)
        try:
            header = signatures[0] if len(signatures) == 1 else None
            webhook = read_webhook(self._verifier.verify(header, body))
        except WebhookRefusedError as error:
            return _refusal(_STATUS.get(type(error), 400), error.reason, str(error))
        if isinstance(webhook, OtherEvent):
            _note(webhook)
            return Response(status_code=204)
        return await self._spread(webhook)

    async def _spread(self, notice: ChangeNotice) -> Response:
        _log.info(
            "change_notice.received",
            environment=notice.environment,
            project_id=notice.project_id,
            folder=notice.folder,
        )
        try:
            await self._announce(notice)
        except ChannelError as error:
            return _refusal(
                503,
                error.reason,
                "This replica has dropped the folder from its cache, but the others could not be "
                "told: check NATS, then run cache flush.",
            )
        return Response(status_code=204)

    async def _body(self, request: Request) -> bytes | Response:
        body = bytearray()
        try:
            async with self._clock.timeout_at(self._clock.monotonic() + BODY_SECONDS):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > MAX_BODY_BYTES:
                        return _refusal(
                            413,
                            "body_too_large",
                            f"Send at most {MAX_BODY_BYTES} bytes; Infisical's own are far below.",
                            close=True,
                        )
        except (TimeoutError, ClientDisconnect):
            return _refusal(
                408, "body_incomplete", "The body did not arrive; check the network.", close=True
            )
        return bytes(body)


def _note(event: OtherEvent) -> None:
    match event:
        case OtherEvent.TEST:
            _log.info("change_notice.test_received")
        case OtherEvent.ROTATION_FAILED:
            # The stored value is still the old one: nothing to forget, and something to mend.
            _log.warning(
                "change_notice.rotation_failed",
                advice="A secret rotation failed in Infisical; see the rotation there.",
            )
        case OtherEvent.UNKNOWN:
            _log.info("change_notice.event_ignored")


def _refusal(status: int, reason: str, advice: str, *, close: bool = False) -> JSONResponse:
    _log.warning("change_notice.webhook_refused", status=status, reason=reason)
    headers = {"cache-control": "no-store"} | ({"connection": "close"} if close else {})
    return JSONResponse({"error": reason, "advice": advice}, status, headers)
