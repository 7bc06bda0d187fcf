"""What operators ask over HTTP, from the service's start to its end; all of it with ADMIN_ADDR.

Without it neither Prometheus' library nor an HTTP server is loaded, a tenth of a start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from bootstrap.settings import Problem, SettingsError
from domain.model.own_lateness import RECENT_SECONDS, recent_advice

if TYPE_CHECKING:
    from adapters.admin_http.address import AdminAddress
    from adapters.admin_http.readiness import Readiness
    from adapters.admin_http.server import AdminHttp
    from adapters.console.app import Console
    from adapters.console.feed import RequestFeed
    from adapters.metrics.registry import Metrics
    from bootstrap.containers import Container
    from bootstrap.retrying import SupervisedTask
    from bootstrap.settings import Configuration
    from bootstrap.store_pipeline import StorePipeline
    from ports.audit import AuditTrail
    from ports.clock import Clock


@final
class Admin:
    """The pages, and what they ask; without an address nothing is opened.

    Raises:
        SettingsError: the store takes requests over HTTP, and there is no address for them; or its
            paths are taken.
    """

    def __init__(self, container: Container) -> None:
        self.is_serving = False
        self._console: Console | None = None
        self.readiness: Readiness | None = None
        self._listener: AdminHttp | None = None
        configuration: Configuration = container.configuration()
        pipeline: StorePipeline = container.pipeline()
        metrics: Metrics | None = container.metrics()
        address = configuration.service.admin_address
        if address is None or metrics is None:
            _refuse_routes(configuration, pipeline)
            return
        from adapters.admin_http import checks as check  # noqa: PLC0415  see above
        from adapters.admin_http.readiness import Readiness  # noqa: PLC0415  see above

        clock, lateness = container.clock(), container.lateness()
        transport, front = container.transport(), container.front()
        access, audits = container.access(), container.audits()
        store_task: SupervisedTask = container.store_task()

        def own_lateness() -> str:
            return recent_advice(lateness.late_seconds(clock.monotonic() - RECENT_SECONDS))

        checks = [
            check.serving_check(lambda: self.is_serving),
            check.problem_check(configuration.transport.plugin.name, transport.problem),
            check.store_check(
                pipeline.parts.check,
                lambda: self.is_serving,
                proof=pipeline.proof,
                disproof=pipeline.disproof,
                starved=own_lateness,
            ),
            check.audit_check(audits.trail.accepts),
            check.process_check(own_lateness),
        ]
        if front is not transport:
            checks.append(check.problem_check("front", front.problem))
            metrics.watch(front.samples)
        if store_task.exists:
            degraded = pipeline.parts.degraded
            checks.append(check.problem_check("store_task", store_task.problem, degraded))
        if (file := access.file) is not None:
            checks.append(
                check.problem_check(
                    "policy", lambda: file.status.problem, lambda: file.status.degraded
                )
            )
        self.readiness = Readiness(checks, clock)
        metrics.watch(
            transport.samples,
            audits.samples,
            access.samples,
            pipeline.samples,
            pipeline.parts.samples,
            self.readiness.samples,
            lateness.samples,
        )
        if (feed := container.feed()) is not None:
            from adapters.console.app import Console  # noqa: PLC0415  loaded for it alone
            from bootstrap.console import ServiceSources  # noqa: PLC0415  as above

            sources = ServiceSources(container, address, self.readiness, metrics)
            self._console = Console(sources, feed, clock)
        self._listener = _listener(container, address, self.readiness, metrics, self._console)

    async def start(self) -> None:
        """Listen.

        Raises:
            AdminHttpError: the address cannot be listened on.
        """
        if self._listener is not None:
            await self._listener.start()

    def store_checked(self, error: Exception | None) -> None:
        """Take what a check of the store came to, so that probes need none of their own soon.
        `error`: what the check raised; None if the store answers.
        """
        if self.readiness is not None:
            from adapters.admin_http.checks import STORE, store_finding  # noqa: PLC0415  see above

            self.readiness.note(STORE, store_finding(error))

    def begin_serving(self) -> None:
        """Say that requests are taken."""
        self.is_serving = True

    async def end_serving(self) -> None:
        """Say that no more requests are taken, and end checks of what is about to be closed."""
        self.is_serving = False
        if self.readiness is not None:
            await self.readiness.aclose()

    async def aclose(self) -> None:
        """Answer what is in flight, then listen no more."""
        if self._console is not None:
            self._console.close()
        if self._listener is not None:
            await self._listener.aclose()
        if self.readiness is not None:
            await self.readiness.aclose()


def _listener(
    container: Container,
    address: AdminAddress,
    readiness: Readiness,
    metrics: Metrics,
    console: Console | None,
) -> AdminHttp:
    from adapters.admin_http.app import StoreRoutes, build_app  # noqa: PLC0415  see above
    from adapters.admin_http.bounds import KnownHostsOnly  # noqa: PLC0415  see above
    from adapters.admin_http.server import AdminHttp  # noqa: PLC0415  see above

    parts, clock = container.pipeline().parts, container.clock()
    hosts = (address.host, *container.settings().admin_hosts)
    pages = build_app(readiness, metrics, clock, closed=parts.closed_routes, console=console)
    streams = frozenset[str]() if console is None else console.streams
    try:
        app = StoreRoutes(parts.routes, pages, clock)
    except ValueError as error:
        advice = f"chooses a store that cannot be used: {error}. Report it there."
        raise SettingsError(Problem("SECRET_STORE", advice)) from None
    return AdminHttp(address, KnownHostsOnly(app, hosts), clock, streams)


def _refuse_routes(configuration: Configuration, pipeline: StorePipeline) -> None:
    if paths := ", ".join(route.path for route in pipeline.parts.routes):
        raise SettingsError(
            Problem(
                "ADMIN_ADDR",
                f"must be set as well: {configuration.store.plugin.title} is to take requests at "
                f"{paths}, which come in there.",
            )
        )


def counted_trail(inner: AuditTrail, metrics: Metrics | None) -> AuditTrail:
    """Return `inner`, counted where there are metrics."""
    if metrics is None:
        return inner
    from adapters.metrics.audit_trail import MeteredAuditTrail  # noqa: PLC0415  see above

    return MeteredAuditTrail(inner, metrics)


def new_feed(configuration: Configuration, inner: AuditTrail) -> RequestFeed | None:
    """Return what keeps the latest requests for the console; None where there is no console."""
    if not configuration.service.admin_console:
        return None
    from adapters.console.feed import RequestFeed  # noqa: PLC0415  see above

    return RequestFeed(inner)


def new_metrics(configuration: Configuration, clock: Clock) -> Metrics | None:
    """Return a registry of metrics; None where nothing could read it."""
    if configuration.service.admin_addr is None:
        return None
    from adapters.metrics.registry import Metrics  # noqa: PLC0415  see above
    from bootstrap.version import __version__  # noqa: PLC0415  see above

    metrics = Metrics(clock, version=__version__, store=configuration.service.secret_store)
    metrics.show_restarts(configuration.worker, configuration.history.ends)
    return metrics
