"""What depends on what. Synchronous and free of I/O; `bootstrap.lifecycle` opens and closes.

One container serves one run: override what a test replaces before anything is first built.
"""

from __future__ import annotations

from dependency_injector import containers, providers

from adapters.change_notice.notices import ChangeNotices
from adapters.crypto.control_messages import ControlCodec
from adapters.crypto.token_verifier import WascapTokenVerifier
from adapters.crypto.xkeys import SodiumKeyExchange
from adapters.system.clock import SystemClock
from adapters.system.lateness import LoopLateness
from adapters.system.lone_process import LoneProcess
from adapters.system.request_ids import CountingRequestIds
from adapters.system.service_manager import ServiceManager
from adapters.telemetry.fault_log import StructlogFaultLog
from bootstrap.access import AccessControl
from bootstrap.admin import Admin, counted_trail, new_feed, new_metrics
from bootstrap.audit_trails import AuditTrails
from bootstrap.lifecycle import Service
from bootstrap.plugin_contexts import ServiceStoreContext, ServiceTransportContext, replica_name
from bootstrap.retrying import SupervisedTask
from bootstrap.server_keys import control_keys
from bootstrap.settings import Configuration
from bootstrap.settings.chosen import ChosenStore, ChosenTransport
from bootstrap.store_pipeline import StorePipeline
from bootstrap.tracing import build_tracing
from domain.use_cases.answer_request import AnswerRequest
from domain.use_cases.authenticate_caller import AuthenticateCaller
from domain.use_cases.authorize_access import AuthorizeAccess
from domain.use_cases.fetch_secret import FetchSecret
from domain.use_cases.key_ring import KeyRing
from domain.use_cases.open_request import OpenRequest
from domain.use_cases.read_for_workload import ReadForWorkload
from domain.use_cases.replay_guard import ReplayGuard
from domain.use_cases.seal_reply import SealReply


class Container(containers.DeclarativeContainer):
    """From the configuration and the server's keys to a service that is ready to run."""

    __self__ = providers.Self()
    configuration = providers.Dependency(instance_of=Configuration)
    keys = providers.Dependency(instance_of=KeyRing)
    settings = configuration.provided.service

    clock = providers.Singleton(SystemClock)
    manager = providers.Dependency(
        instance_of=ServiceManager, default=providers.Singleton(ServiceManager, None, clock)
    )
    lateness = providers.Singleton(LoopLateness, clock)
    key_exchange = providers.Singleton(SodiumKeyExchange)
    tokens = providers.Singleton(WascapTokenVerifier)
    request_ids = providers.Singleton(CountingRequestIds)
    faults = providers.Singleton(StructlogFaultLog)

    peer_messages = providers.Singleton(
        ControlCodec, providers.Singleton(control_keys, keys), clock
    )
    transport_context = providers.Singleton(
        ServiceTransportContext,
        clock=clock,
        backend=settings.backend,
        max_in_flight=settings.max_in_flight,
        max_request_bytes=settings.max_request_bytes,
        request_timeout_seconds=settings.request_timeout_seconds,
        worker=configuration.provided.worker,
        workers=configuration.provided.workers,
        peer_messages=peer_messages,
    )
    transport = providers.Singleton(
        ChosenTransport.build, configuration.provided.transport, transport_context
    )
    # Overridden where this process itself reads secrets for workloads of wasmCloud 2.
    front = providers.Singleton(lambda transport: transport, transport)
    lone_process = providers.Singleton(LoneProcess)
    peers = providers.Singleton(
        lambda given, lone: given or lone, transport.provided.peers, lone_process
    )
    notices = providers.Singleton(
        ChangeNotices,
        peers,
        request_ids,
        clock,
        backend=settings.backend,
        replica=providers.Singleton(replica_name),
    )

    store_context = providers.Singleton(
        ServiceStoreContext,
        clock=clock,
        peers=peers,
        announce=notices.provided.announce,
        shared=transport.provided.shared,
        transport=settings.transport,
        transport_server=transport.provided.server,
        request_timeout_seconds=settings.request_timeout_seconds,
        worker=configuration.provided.worker,
        workers=configuration.provided.workers,
    )
    store = providers.Singleton(ChosenStore.build, configuration.provided.store, store_context)
    store_task = providers.Singleton(
        SupervisedTask, store.provided.run, configuration.provided.store.plugin.title, clock
    )
    tracing = providers.Singleton(build_tracing, configuration, transport, clock)
    metrics = providers.Singleton(new_metrics, configuration, clock)
    pipeline = providers.Singleton(
        StorePipeline,
        store,
        settings,
        metrics,
        tracing,
        clock,
        lateness=lateness,
        context=store_context,
    )
    recheck_task = providers.Singleton(
        SupervisedTask, pipeline.provided.recheck_run, "the recheck", clock
    )

    access = providers.Singleton(
        AccessControl,
        settings,
        clock,
        requester_required=transport.provided.identifies_requesters,
    )
    audits = providers.Singleton(AuditTrails, settings, keys, transport.provided.shared, clock)
    counted = providers.Singleton(counted_trail, audits.provided.trail, metrics)
    feed = providers.Singleton(new_feed, configuration, counted)
    shown_trail = providers.Singleton(lambda fed, counted: fed or counted, feed, counted)
    trail = tracing.provided.trail.call(shown_trail)

    authorize = providers.Singleton(
        AuthorizeAccess,
        access.provided.policy,
        pipeline.provided.cache,
        clock,
        settings.backend,
        settings.hides_missing_secrets,
    )
    fetch = providers.Singleton(
        FetchSecret, pipeline.provided.cache, clock, pipeline.provided.cache, lateness
    )
    workload_reads = providers.Singleton(
        ReadForWorkload,
        authorize=authorize,
        fetch=fetch,
        clock=clock,
        audit=trail,
        faults=faults,
        request_ids=request_ids,
        needs_token=configuration.provided.store.plugin.needs_entity_token,
    )
    traced_reads = tracing.provided.workload_reads.call(workload_reads)
    handler = providers.Singleton(
        AnswerRequest,
        open_request=providers.Singleton(
            OpenRequest,
            keys,
            key_exchange,
            providers.Singleton(ReplayGuard, settings.replay_window_seconds),
            settings.max_request_bytes,
        ),
        authenticate=providers.Singleton(
            AuthenticateCaller,
            tokens,
            clock,
            settings.clock_leeway_seconds,
            configuration.provided.store.plugin.needs_entity_token,
        ),
        authorize=authorize,
        fetch=fetch,
        seal=providers.Singleton(SealReply, key_exchange),
        clock=clock,
        audit=trail,
        faults=faults,
        request_ids=request_ids,
        timeout_seconds=settings.request_timeout_seconds,
        host_waits=pipeline.provided.waits,
    )
    traced_handler = tracing.provided.handler.call(handler)
    # It asks nearly every part how it is, and so takes them all.
    admin = providers.Singleton(Admin, __self__)
    service = providers.Singleton(
        Service,
        configuration=configuration,
        keys=keys,
        transport=transport,
        front=front,
        handler=traced_handler,
        pipeline=pipeline,
        store_task=store_task,
        recheck_task=recheck_task,
        access=access,
        audits=audits,
        admin=admin,
        notices=notices,
        tracing=tracing,
        key_exchange=key_exchange,
        clock=clock,
        lateness=lateness,
        manager=manager,
    )
