"""Infisical's webhooks: taken on the admin listener, checked, and passed on as a change.

Infisical waits 15 seconds for an answer, shows the webhook's last status, and does not try again.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.infisical.settings import WEBHOOK_PATH
from adapters.infisical.webhook_signature import (
    SignedBodyMalformedError,
    WebhookRefusedError,
)
from domain.model.errors import InvalidRequest
from domain.model.selection import Selection
from ports.store_plugin import HttpResponse, HttpRoute
from ports.transport import ChannelError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from adapters.infisical.webhook_signature import WebhookVerifier
    from ports.store_plugin import HttpRequest

MODIFIED = "secrets.modified"
SIGNATURE: Final = "x-infisical-signature"
MAX_BODY_BYTES: Final = 64 * 1024

_log = structlog.get_logger()


class OtherEvent(StrEnum):
    """Events that change no value, so that nothing is to be forgotten."""

    TEST = "test"
    ROTATION_FAILED = "secrets.rotation-failed"
    UNKNOWN = "unknown"


class _Payload(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)


class _Project(_Payload):
    environment: str | None = None
    projectId: str | None = None  # noqa: N815  Infisical's spelling
    workspaceId: str | None = None  # noqa: N815  Infisical's spelling
    secretPath: str | None = None  # noqa: N815  Infisical's spelling


class _Webhook(_Payload):
    event: str
    project: _Project | None = None


def read_webhook(document: Mapping[str, object]) -> Selection | OtherEvent:
    """Read a verified body; members that mean nothing here are ignored.

    Infisical names the folder that a change was in, not the secret.

    Raises:
        SignedBodyMalformedError: it names no event, or a change without a place.
    """
    try:
        webhook = _Webhook.model_validate(document)
        if webhook.event != MODIFIED:
            return _other(webhook.event)
        changed = _selection(webhook.project or _Project())
    except (ValidationError, InvalidRequest):
        changed = None
    if changed is None:
        raise SignedBodyMalformedError
    return changed


def _other(event: str) -> OtherEvent:
    try:
        return OtherEvent(event)
    except ValueError:
        return OtherEvent.UNKNOWN


def _selection(project: _Project) -> Selection | None:
    ids = {project.projectId, project.workspaceId} - {None}
    # Two ids would be two projects: older servers send the first alone, newer ones both, equal.
    if len(ids) != 1 or project.environment is None or project.secretPath is None:
        return None
    scope = (("environment", project.environment), ("project_id", str(ids.pop())))
    return Selection.below(project.secretPath, scope)


class InfisicalWebhook:
    """Takes notices of changed secrets from any sender that the listener lets in: the signature
    decides. `changed`: as `StoreContext.changed`.
    """

    def __init__(
        self, verifier: WebhookVerifier, changed: Callable[[Selection], Awaitable[None]]
    ) -> None:
        self._verifier = verifier
        self._changed = changed

    def route(self) -> HttpRoute:
        """Return what the admin listener serves."""
        return HttpRoute("POST", WEBHOOK_PATH, self.take, MAX_BODY_BYTES)

    async def take(self, request: HttpRequest) -> HttpResponse:
        """Answer 204, or 4xx or 503 with advice in JSON."""
        try:
            signature = request.headers.get(SIGNATURE)
            webhook = read_webhook(self._verifier.verify(signature, request.body))
        except WebhookRefusedError as error:
            return _refusal(error.status, error.reason, error.advice)
        if isinstance(webhook, OtherEvent):
            _note(webhook)
            return HttpResponse(204)
        return await self._pass_on(webhook)

    async def _pass_on(self, changed: Selection) -> HttpResponse:
        _log.info("change_notice.received", folder=changed.folder, **dict(changed.scope))
        try:
            await self._changed(changed)
        except ChannelError as error:
            return _refusal(
                503,
                error.reason,
                "This replica has dropped the folder from its cache, but the others could not be "
                "notified: check the transport, then run cache flush.",
            )
        return HttpResponse(204)


def _note(event: OtherEvent) -> None:
    match event:
        case OtherEvent.TEST:
            _log.info("change_notice.test_received")
        case OtherEvent.ROTATION_FAILED:
            # The stored value is still the old one: nothing to forget, and something to correct.
            _log.warning(
                "change_notice.rotation_failed",
                advice="A secret rotation failed in Infisical; see the rotation there.",
            )
        case OtherEvent.UNKNOWN:
            _log.info("change_notice.event_ignored")


def _refusal(status: int, reason: str, advice: str) -> HttpResponse:
    _log.warning("change_notice.webhook_refused", status=status, reason=reason)
    body = json.dumps({"error": reason, "advice": advice}).encode()
    return HttpResponse(status, body, "application/json")
