"""What depends on what. Synchronous and free of I/O; `bootstrap.lifecycle` opens and closes.

One container serves one run: override what a test replaces before anything is first built.
"""

from __future__ import annotations

from dependency_injector import containers, providers

from adapters.crypto.token_verifier import WascapTokenVerifier
from adapters.crypto.xkeys import SodiumKeyExchange
from adapters.nats.channel import NatsChannel
from adapters.nats.connection import NatsConnection
from adapters.system.clock import SystemClock
from adapters.system.request_ids import CountingRequestIds
from adapters.telemetry.fault_log import StructlogFaultLog
from bootstrap import factories
from bootstrap.server_keys import ServiceKeys
from bootstrap.settings import Settings
from bootstrap.settings.stores import INFISICAL, NATS_KV
from bootstrap.workers.former_lives import FormerLives


class Container(containers.DeclarativeContainer):
    """From settings and keys to a service that is ready to run."""

    settings = providers.Dependency(instance_of=Settings)
    keys = providers.Dependency(instance_of=ServiceKeys)
    former = providers.Dependency(instance_of=FormerLives, default=FormerLives())

    clock = providers.Singleton(SystemClock)
    key_exchange = providers.Singleton(SodiumKeyExchange)
    tokens = providers.Singleton(WascapTokenVerifier)
    request_ids = providers.Singleton(CountingRequestIds)
    faults = providers.Singleton(StructlogFaultLog)

    subjects = providers.Singleton(factories.subjects, settings)
    nats_config = providers.Singleton(factories.nats_config, settings)
    connection = providers.Singleton(NatsConnection, nats_config, clock)
    client = providers.Singleton(factories.nats_client, connection)
    channel = providers.Singleton(NatsChannel, client, subjects)
    transport = providers.Singleton(factories.nats_transport, client, subjects, clock, settings)

    codec = providers.Singleton(factories.control_codec, keys, clock)

    tracing = providers.Singleton(
        factories.tracing_parts, settings, nats_config, subjects, former.provided.number, clock
    )

    store = providers.Selector(
        settings.provided.secret_store,
        **{
            INFISICAL: providers.Singleton(
                factories.infisical_store, settings, client, codec, clock
            ),
            NATS_KV: providers.Singleton(factories.nats_kv_store, settings, client, keys, clock),
        },
    )

    metrics = providers.Singleton(factories.metrics, settings, clock, former)
    stack = providers.Singleton(factories.store_stack, settings, store, metrics, tracing, clock)

    access = providers.Singleton(factories.access_parts, settings, clock)
    audit = providers.Singleton(factories.audit_parts, settings, client, clock)
    counted_trail = providers.Singleton(factories.audit_trail, audit, metrics)
    trail = providers.Singleton(factories.traced_trail, counted_trail, tracing)
    handler = providers.Singleton(
        factories.answer_request,
        settings=settings,
        keys=keys,
        stack=stack,
        access=access,
        key_exchange=key_exchange,
        tokens=tokens,
        clock=clock,
        trail=trail,
        faults=faults,
        request_ids=request_ids,
    )
    traced_handler = providers.Singleton(factories.traced_handler, handler, tracing)
    changes = providers.Singleton(
        factories.change_parts,
        settings=settings,
        client=client,
        stack=stack,
        codec=codec,
        ids=request_ids,
        clock=clock,
    )
    admin = providers.Singleton(
        factories.admin_parts,
        settings=settings,
        registry=metrics,
        connection=connection,
        transport=transport,
        stack=stack,
        changes=changes,
        access=access,
        audit=audit,
        clock=clock,
    )
    service = providers.Singleton(
        factories.service,
        settings=settings,
        keys=keys,
        nats=nats_config,
        connection=connection,
        client=client,
        channel=channel,
        transport=transport,
        handler=traced_handler,
        stack=stack,
        access=access,
        audit=audit,
        admin=admin,
        changes=changes,
        tracing=tracing,
        key_exchange=key_exchange,
        clock=clock,
        served=subjects,
    )
