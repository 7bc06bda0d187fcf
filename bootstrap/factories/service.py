"""The core, and one replica around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bootstrap.lifecycle import Service
from domain.use_cases.answer_request import AnswerRequest
from domain.use_cases.authenticate_caller import AuthenticateCaller
from domain.use_cases.authorize_access import AuthorizeAccess
from domain.use_cases.fetch_secret import FetchSecret
from domain.use_cases.open_request import OpenRequest
from domain.use_cases.replay_guard import ReplayGuard
from domain.use_cases.seal_reply import SealReply

if TYPE_CHECKING:
    from adapters.nats.client import SteadyClient
    from adapters.nats.config import NatsConfig
    from adapters.nats.connection import NatsConnection
    from adapters.nats.subjects import SecretsSubjects
    from bootstrap.access_parts import AccessParts
    from bootstrap.admin_parts import AdminParts
    from bootstrap.audit_parts import AuditParts
    from bootstrap.change_parts import ChangeParts
    from bootstrap.server_keys import ServiceKeys
    from bootstrap.settings import Settings
    from bootstrap.store_parts import StoreStack
    from bootstrap.tracing_parts import TracingParts
    from ports.audit import AuditTrail
    from ports.clock import Clock
    from ports.fault_log import FaultLog
    from ports.key_exchange import KeyExchange
    from ports.request_ids import RequestIds
    from ports.token_verifier import TokenVerifier
    from ports.transport import Channel, RequestHandler, Transport


def answer_request(
    *,
    settings: Settings,
    keys: ServiceKeys,
    stack: StoreStack,
    access: AccessParts,
    key_exchange: KeyExchange,
    tokens: TokenVerifier,
    clock: Clock,
    trail: AuditTrail,
    faults: FaultLog,
    request_ids: RequestIds,
) -> AnswerRequest:
    """Put the core together."""
    return AnswerRequest(
        open_request=OpenRequest(
            keys.server,
            key_exchange,
            ReplayGuard(settings.replay_window_seconds),
            settings.max_request_bytes,
        ),
        authenticate=AuthenticateCaller(tokens, clock, settings.clock_leeway_seconds),
        authorize=AuthorizeAccess(
            access.policy,
            stack.store,
            clock,
            settings.backend_name,
            settings.hides_missing_secrets,
        ),
        fetch=FetchSecret(stack.store, clock, stack.cache),
        seal=SealReply(key_exchange),
        clock=clock,
        audit=trail,
        faults=faults,
        request_ids=request_ids,
        timeout_seconds=settings.request_timeout_seconds,
    )


def service(
    *,
    settings: Settings,
    keys: ServiceKeys,
    nats: NatsConfig,
    connection: NatsConnection,
    client: SteadyClient,
    channel: Channel,
    transport: Transport,
    handler: RequestHandler,
    stack: StoreStack,
    access: AccessParts,
    audit: AuditParts,
    admin: AdminParts,
    changes: ChangeParts,
    tracing: TracingParts,
    key_exchange: KeyExchange,
    clock: Clock,
    served: SecretsSubjects,
) -> Service:
    """Put one replica together."""
    return Service(
        settings=settings,
        keys=keys,
        nats=nats,
        connection=connection,
        client=client,
        channel=channel,
        transport=transport,
        handler=handler,
        stack=stack,
        access=access,
        audit=audit,
        admin=admin,
        changes=changes,
        tracing=tracing,
        key_exchange=key_exchange,
        clock=clock,
        subjects=served,
    )
