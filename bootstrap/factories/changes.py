"""How replicas hear that a secret has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.change_notice.announcer import ChangeAnnouncer
from adapters.change_notice.broadcast import InvalidationBroadcast
from adapters.change_notice.listener import InvalidationListener
from adapters.change_notice.subjects import ControlSubjects
from adapters.change_notice.webhook_path import PATH
from adapters.crypto.control_messages import PURPOSE, ControlCodec
from bootstrap.change_parts import ChangeParts, KeptValues, replica_name
from bootstrap.settings.stores import INFISICAL
from ports.transport import ChannelError

if TYPE_CHECKING:
    from pydantic import SecretStr
    from starlette.types import ASGIApp, Receive, Scope, Send

    from adapters.change_notice.webhook_payload import ChangeNotice
    from adapters.nats.client import SteadyClient
    from bootstrap.admin_parts import ServingState
    from bootstrap.server_keys import ServiceKeys
    from bootstrap.settings import Settings
    from bootstrap.store_parts import StoreStack
    from ports.clock import Clock
    from ports.request_ids import RequestIds


NO_WEBHOOKS = (
    "Webhooks are not taken here; set INFISICAL_WEBHOOK_KEY, beside SECRET_STORE=infisical, to the "
    "secret key that the webhook has in Infisical, and start the service again."
)


def webhook_key(settings: Settings) -> SecretStr | None:
    """Return the key of Infisical's webhooks, if Infisical is the store and has any."""
    return settings.infisical_webhook_key if settings.secret_store == INFISICAL else None


def control_codec(keys: ServiceKeys, clock: Clock) -> ControlCodec:
    """Authenticate what this service's replicas tell each other, by the key they share."""
    return ControlCodec(keys.derived(PURPOSE), clock)


def change_parts(
    *,
    settings: Settings,
    client: SteadyClient,
    stack: StoreStack,
    codec: ControlCodec,
    ids: RequestIds,
    clock: Clock,
) -> ChangeParts:
    """Listen in any case, and spread the word where a webhook brings it."""
    subjects = ControlSubjects(settings.nats_subject_prefix, settings.backend_name)
    kept = KeptValues(stack.cache)
    replica = replica_name()
    listener = InvalidationListener(client, subjects, kept, clock, codec, replica=replica)
    announcer = None
    if webhook_key(settings) is not None:
        broadcast = InvalidationBroadcast(client, subjects, clock, codec)
        announcer = ChangeAnnouncer(broadcast, kept, ids, clock, replica=replica)
    return ChangeParts(listener, announcer)


def absent_pages(settings: Settings) -> dict[str, str]:
    """Return the webhook's path with how to open it, if it is closed."""
    return {PATH: NO_WEBHOOKS} if webhook_key(settings) is None else {}


def with_webhook(
    pages: ASGIApp,
    settings: Settings,
    changes: ChangeParts,
    serving: ServingState,
    clock: Clock,
) -> ASGIApp:
    """Let one path take what all others refuse, a body, if webhooks are to be taken."""
    key, announcer = webhook_key(settings), changes.announcer
    if key is None or announcer is None:
        return pages
    from starlette.applications import Starlette  # noqa: PLC0415  HTTP is loaded for who uses it

    from adapters.change_notice.webhook import InfisicalWebhook  # noqa: PLC0415  likewise
    from adapters.change_notice.webhook_signature import (  # noqa: PLC0415  likewise
        WebhookVerifier,
    )

    async def announce(notice: ChangeNotice) -> None:
        # The connection is not there yet, or is about to be closed.
        if not serving.is_serving:
            raise ChannelError("The service is starting or stopping.", reason="disconnected")
        await announcer.announce(notice)

    webhook = InfisicalWebhook(WebhookVerifier(key, clock), announce, clock)
    receiving = Starlette(routes=[webhook.route()])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (receiving if scope["path"] == PATH else pages)(scope, receive, send)

    return app
