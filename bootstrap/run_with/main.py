"""`exec` as a process: a service without an admin listener, whose front is one command."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, final

from typing_extensions import override

from adapters.telemetry.log_setup import configure_logging, log_output
from bootstrap.containers import Container
from bootstrap.environment import forget_settings, without_settings
from bootstrap.hardening import harden_process
from bootstrap.projection.deliveries import following, refresh_seconds
from bootstrap.run_with.child import pass_signals, run_once
from bootstrap.run_with.fronts import ReadOnce, RunWatched
from bootstrap.run_with.request import environment_with
from bootstrap.server_keys import load_peer_keys
from bootstrap.settings import SettingsError, load_configuration
from ports.transport_plugin import TransportParts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.run_with.request import Run
    from bootstrap.settings import Configuration
    from ports.transport import Transport

_QUIET = ("info", "debug")
_Outcome = TypeVar("_Outcome", int, dict[bytes, bytes])


def run_with(run: Run) -> int:
    """Read the secrets, run the command, and return its exit code.

    Raises:
        SettingsError: the settings, or the files that they name, cannot be used.
        RefusedError: a secret cannot be had.
        CommandNotStartedError: the command cannot be run.
        ServiceFailedError: the store or NATS cannot be used at all.
    """
    harden_process(lock_memory=False)
    inherited = without_settings(os.environ)
    configuration = load_configuration()
    forget_settings(configuration)
    settings = configuration.service
    # What the command writes is not to drown in what a service says of itself.
    level = "warning" if settings.log_level in _QUIET else settings.log_level
    configure_logging(level, settings.log_format)
    if problems := configuration.unusable():
        raise SettingsError(*problems)
    alone = replace(
        configuration, service=settings.model_copy(update={"admin_addr": None}), workers=1
    )
    if run.watch:
        return asyncio.run(_watched(run, alone, inherited))
    variables = asyncio.run(_variables(run, alone))
    return asyncio.run(run_once(run.command, environment_with(inherited, variables)))


async def _variables(run: Run, configuration: Configuration) -> dict[bytes, bytes]:
    container, stop = _container(configuration, watch=False), asyncio.Event()
    front = ReadOnce(run, following(container, run.max_stale_seconds)[0], stop)
    await _serve(container, front, stop)
    return _without_failure(front.outcome)


async def _watched(run: Run, configuration: Configuration, inherited: Mapping[str, str]) -> int:
    container, stop = _container(configuration, watch=True), asyncio.Event()
    pipeline, policy = container.pipeline(), container.access().policy
    front = RunWatched(
        run,
        following(container, run.max_stale_seconds)[0],
        container.clock(),
        stop,
        inherited=inherited,
        revision=lambda: policy.revision,
        refresh_seconds=refresh_seconds(container),
    )
    pipeline.on_forget(lambda _: front.wake())
    pass_signals(front.send)
    await _serve(container, front, stop)
    return _without_failure(front.outcome)


async def _serve(container: Container, front: Transport, stop: asyncio.Event) -> None:
    container.front.override(TransportParts(front))
    async with log_output().off_the_loop():
        await container.service().run(stop, asyncio.Event())


def _without_failure(outcome: _Outcome | Exception) -> _Outcome:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _container(configuration: Configuration, *, watch: bool) -> Container:
    """Return the parts: without routes, which need a listener, and connected only if need be."""
    container = Container(configuration=configuration, keys=load_peer_keys(configuration.service))
    transport: TransportParts = container.transport()
    if not watch:
        transport = replace(transport, peers=None)
    shared = _Noted(transport.shared)
    container.transport.override(replace(transport, shared=shared))
    container.store.override(
        replace(container.store(), routes=(), closed_routes=MappingProxyType({}))
    )
    container.audits()
    if not (watch or shared.was_used):
        # Neither the store nor the audit trail needs NATS: the command does not either.
        container.transport.override(TransportParts(transport.transport))
    return container


@final
class _Noted(Mapping[type, Any]):
    """What a transport shares, and whether any of it was taken."""

    def __init__(self, shared: Mapping[type, Any]) -> None:
        self._shared = shared
        self.was_used = False

    @override
    def __getitem__(self, kind: type) -> Any:
        self.was_used = True
        return self._shared[kind]

    @override
    def __iter__(self) -> Iterator[type]:
        return iter(self._shared)

    @override
    def __len__(self) -> int:
        return len(self._shared)
