"""`wasmcloud-secrets relay`: a service whose front is the control API of wasmCloud 2.

The front has two NATS connections, and passes on what comes in at one of them.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Final

import structlog
from nats import errors

from adapters.nats.connect_errors import NatsConnectError
from adapters.nats.connection import NatsConnection
from adapters.nats.relay_settings import HostsNatsSettings, OperatorNatsSettings
from adapters.system.loopback import is_loopback
from adapters.wasmcloud2.filling import Filling
from adapters.wasmcloud2.message import REQUESTS, relay_samples
from adapters.wasmcloud2.relay import Relay
from adapters.wasmcloud2.rolls import Rolls
from adapters.wasmcloud2.settings import RelaySettings
from bootstrap import main
from bootstrap.plugin_contexts import USER_AGENT
from bootstrap.settings import Problem, SettingsError
from bootstrap.wasmcloud2 import unfit_for
from ports.transport_plugin import TransportFailedError, TransportParts, TransportRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adapters.system.service_manager import ServiceManager
    from bootstrap.containers import Container
    from bootstrap.settings import Configuration
    from ports.plugin import Sample


LOOK_SECONDS: Final = 3.0
"""Between two looks at whether the servers still know of the subscriptions."""

PROBE_SECONDS: Final = 0.5
"""For a message to come back, if both sides are one account."""

_log = structlog.get_logger()

_EXPOSED = (
    "The hosts' NATS at {} is reached without TLS, and start requests carry secrets in clear: they "
    "can be read on the way. Write tls:// in RELAY_HOSTS_URL, or set RELAY_HOSTS_TLS_CA_FILE."
)
GROUPS = (RelaySettings, OperatorNatsSettings, HostsNatsSettings)


class RelayFront:
    """Opens, watches and closes what the relay stands on. `environment`: which hosts it serves, by
    the operator's word.
    """

    def __init__(self, container: Container, environment: str) -> None:
        configuration: Configuration = container.configuration()
        settings, service = configuration.of(RelaySettings), configuration.service
        operator = configuration.of(OperatorNatsSettings)
        hosts = configuration.of(HostsNatsSettings)
        clock = container.clock()
        self._environment = environment
        self._clock = clock
        self._operator = NatsConnection(operator, clock, name=f"{USER_AGENT} (operator)")
        self._hosts = NatsConnection(hosts, clock, name=f"{USER_AGENT} (hosts)")
        self._refused: dict[str, frozenset[str]] = {}
        filling = Filling(
            container.traced_reads(), environment, clock, service.request_timeout_seconds
        )
        self.relay = Relay(
            self._operator.client,
            self._hosts.client,
            filling,
            clock,
            max_starts=settings.max_starts,
        )
        self._rolls: Rolls | None = None
        if settings.roll_on_change:
            self._rolls = Rolls(
                self.relay.held,
                self.relay.to_hosts,
                filling,
                container.authorize().location_of,
                clock,
                figures=self.relay.figures,
            )
            container.pipeline().on_forget(self._rolls.changed)

    def parts(self) -> TransportParts:
        """Return it as the service runs it."""
        return TransportParts(
            self.relay,
            open=self._open,
            close=self._close,
            run=self._run,
            problem=self._problem,
            samples=self._samples,
            system="nats",
            announced={
                "subjects": REQUESTS,
                "environment": self._environment,
                "rolls_on_change": str(self._rolls is not None).lower(),
            },
        )

    async def _open(self) -> None:
        for side, connection in self._sides():
            if connection.is_connected:
                continue
            try:
                await connection.open()
            except NatsConnectError as error:
                is_refusal = isinstance(error, TransportRefusedError)
                kind = TransportRefusedError if is_refusal else TransportFailedError
                raise kind(f"At the {side}'s NATS: {error}") from None
        await self._refuse_one_account()

    async def _refuse_one_account(self) -> None:
        """Ask whether what is sent to hosts comes back from the operator's side.

        Raises:
            TransportFailedError: it does, and so each request would be passed on for ever.
        """
        subject = f"runtime.host.wasmcloud-secrets-probe-{secrets.token_hex(8)}.probe"
        operator, hosts = self._operator.client, self._hosts.client
        came = asyncio.Event()
        try:
            sid = await operator.subscribe_raw(subject, "", lambda *_: came.set())
            await operator.flush()
            hosts.publish_raw(subject.encode(), b"")
            await hosts.flush()
            async with self._clock.timeout_at(self._clock.monotonic() + PROBE_SECONDS):
                await came.wait()
        except TimeoutError:
            await operator.unsubscribe_raw(sid)
            return
        except (errors.Error, OSError):
            problem = "A connection to NATS was lost; check that nats-server keeps running."
        else:
            problem = (
                "RELAY_OPERATOR_URL and RELAY_HOSTS_URL lead to the same subjects, so that hosts "
                "hear the operator without the relay. Put the operator and the hosts into two NATS "
                "accounts, as deploy/nats/wasmcloud2.conf does, and log in to each."
            )
        raise TransportFailedError(problem)

    async def _close(self) -> None:
        await asyncio.gather(*(connection.close() for _, connection in self._sides()))

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            if self._rolls is not None:
                tasks.create_task(self._rolls.run())

    async def _watch(self) -> None:
        """Ask again for subscriptions that a server may have dropped, as on a reload."""
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            for side, connection in self._sides():
                if connection.client.is_closed:
                    raise TransportFailedError(
                        f"The connection to the {side}'s NATS is closed for good. Check the "
                        "records above, the address and the credentials, and start again."
                    )
                if not connection.is_connected:
                    continue
                try:
                    await connection.client.subscribe_again()
                except (errors.Error, OSError):
                    continue
                self._refused[side] = connection.client.refused

    def _problem(self) -> str | None:
        for side, connection in self._sides():
            if not connection.is_connected:
                return (
                    f"Not connected to the {side}'s NATS; check that nats-server runs, the "
                    f"address and the credentials in RELAY_{side.upper()}_…. The relay goes on "
                    "trying."
                )
            if refused := self._refused.get(side):
                subjects = ", ".join(sorted(refused))
                return (
                    f"The {side}'s NATS lets this user not subscribe to {subjects}; permit it, as "
                    "deploy/nats/wasmcloud2.conf does."
                )
        return None

    def _sides(self) -> Iterable[tuple[str, NatsConnection]]:
        return ("operator", self._operator), ("hosts", self._hosts)

    def _samples(self) -> Iterable[Sample]:
        sides = {side: connection.is_connected for side, connection in self._sides()}
        return relay_samples(self.relay, sides)


def relay() -> int:
    """Run the relay until a signal to stop, and return the exit code."""

    def run(configuration: Configuration, manager: ServiceManager) -> None:
        environment = _checked_environment(configuration)
        hosts = configuration.of(HostsNatsSettings)
        exposed = [str(address) for address in hosts.addresses if not is_loopback(address.host)]
        if exposed and not hosts.insists_on_tls:
            _log.warning(
                "plugin.weakness", plugin="relay", advice=_EXPOSED.format(", ".join(exposed))
            )

        main.run_front(
            configuration, manager, lambda container: RelayFront(container, environment).parts()
        )

    return main.serve(run, GROUPS)


def _checked_environment(configuration: Configuration) -> str:
    """Return V2_ENVIRONMENT.

    Raises:
        SettingsError: with everything that is missing or does not fit the relay.
    """
    environment = configuration.service.v2_environment
    problems = [*unfit_for("the relay", configuration)]
    if environment is None:
        meaning = "is required for the relay: your word for these hosts, such as prod."
        problems.insert(0, Problem("V2_ENVIRONMENT", meaning))
    if environment is None or problems:
        raise SettingsError(*problems)
    return environment
