"""The preflight as a whole: from the settings to the store's own check."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import nats.errors
import structlog
from dependency_injector import providers
from nats.aio.client import Client

from adapters.crypto.xkeys import SodiumKeyExchange, SodiumXKeyPair
from adapters.nats.client import ResilientClient
from adapters.nats_kv.settings import NatsKvSettings
from adapters.system.clock import SystemClock
from adapters.telemetry.redaction import redact_fields
from bootstrap.containers import Container
from bootstrap.preflight import Findings
from bootstrap.preflight.machine import check_machine
from bootstrap.preflight.nats import (
    check_nats,
    check_other_replicas,
    domain_looked_in,
    made_in,
    stream_exists,
)
from bootstrap.server_keys import load_server_keys
from bootstrap.settings import SettingsError, load_configuration
from domain.use_cases.key_ring import KeyRing
from ports.store_check import StoreMisconfiguredError, StoreUnreachableError
from ports.store_plugin import Preflight
from ports.transport_plugin import TransportFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from structlog.typing import EventDict, WrappedLogger

    from bootstrap.settings import Configuration
    from ports.transport_plugin import TransportParts


async def preflight() -> Findings:
    """Look at everything that a start needs, and change nothing."""
    findings = Findings()
    try:
        configuration = load_configuration()
    except SettingsError as error:
        findings.misconfigured("settings", *error.problems)
        return findings
    service = configuration.service
    findings.ok(
        "settings",
        f"SECRET_STORE {service.secret_store}, TRANSPORT {service.transport}, backend "
        f"{service.backend}",
    )
    for name, meant in configuration.misspelt:
        findings.warn("settings", f"{name} is no setting. Did you mean {meant}?")
    try:
        for chosen in (configuration.transport, configuration.store):
            for advice in chosen.warnings():
                findings.warn("settings", advice)
    except SettingsError as error:
        findings.misconfigured("settings", *error.problems)
        return findings
    check_machine(configuration, findings)
    if not configuration.unusable():
        await _reach(configuration, findings)
    return findings


async def _reach(configuration: Configuration, findings: Findings) -> None:
    """Connect, and let the transport, the replicas and the store say how they are."""
    keys = _existing_keys(configuration)
    container = Container(
        configuration=configuration, keys=keys or KeyRing(SodiumXKeyPair.generate(), ())
    )
    try:
        parts: TransportParts = container.transport()
    except SettingsError as error:
        findings.misconfigured("transport", *error.problems)
        return
    # Before the transport opens, which connects only what a part of the service has asked for.
    client = parts.shared.get(Client)
    try:
        await parts.open()
    except TransportFailedError as error:
        findings.failed("transport", str(error))
        return
    try:
        if isinstance(client, ResilientClient):
            await check_nats(client, configuration, SystemClock(), findings)
        if parts.channel is not None:
            await check_other_replicas(parts.channel, SodiumKeyExchange(), keys, findings)
        if await _may_be_asked(configuration, client, findings):
            await _store(container, configuration, findings)
    finally:
        await parts.close()


def _existing_keys(configuration: Configuration) -> KeyRing | None:
    """Return the server's keys if there are any; none is made."""
    settings = configuration.service
    path = settings.server_xkey_seed_file
    if settings.server_xkey_seed is None and (path is None or not path.exists()):
        return None
    return load_server_keys(settings)


async def _may_be_asked(configuration: Configuration, client: object, findings: Findings) -> bool:
    """Say whether the store's check would make nothing."""
    settings = configuration.store.settings
    if not isinstance(settings, NatsKvSettings):
        return True
    path = settings.encryption_xkey_seed_file
    if path is not None and not path.exists():
        findings.warn("store", "ENCRYPTION_XKEY_SEED_FILE does not exist; `serve` makes it.")
        return False
    if not isinstance(client, ResilientClient):
        return True
    try:
        info = await stream_exists(client, f"KV_{settings.bucket}")
    except (nats.errors.Error, TimeoutError):
        return True  # what the store's own check then says is better
    if info is None:
        domain = domain_looked_in(client)
        made = "does not exist; `serve` makes it." if domain is None else made_in(domain)
        findings.warn(
            "store",
            f"The bucket {settings.bucket} {made} Check NATS_KV_BUCKET if there should be one.",
        )
    return info is not None


async def _store(container: Container, configuration: Configuration, findings: Findings) -> None:
    title = configuration.store.plugin.title
    container.notices.override(providers.Object(_NoNotices()))
    try:
        store = container.store()
    except SettingsError as error:
        findings.misconfigured("store", *error.problems)
        return
    asked = store.preflight or Preflight(
        store.check, f"{title} takes the service's login and answers"
    )
    try:
        with warnings_heard() as warnings:
            await asked.check.check()
    except StoreMisconfiguredError as error:
        findings.misconfigured("store", str(error))
    except StoreUnreachableError as error:
        findings.failed("store", str(error))
    else:
        findings.ok("store", asked.proves)
        for warning in warnings:
            findings.warn("store", warning)
    finally:
        await store.close()


class _NoNotices:
    """Announces nothing: a check changes no secret."""

    async def announce(self, _: object) -> None:
        """Do nothing."""


_NO_FIGURES = frozenset({"advice", "event", "level", "log_level"})


@contextmanager
def warnings_heard() -> Iterator[list[str]]:
    """Gather what is logged from "warning" up instead of writing it, one text each."""
    heard: list[str] = []

    def hear(_logger: WrappedLogger, _method: str, record: EventDict) -> EventDict:
        heard.append(_in_words(record))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(
        processors=[redact_fields, hear],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    )
    try:
        yield heard
    finally:
        structlog.configure(**before)


def _in_words(record: EventDict) -> str:
    """Return the record's advice, or else its name, with its figures behind it."""
    figures: dict[str, Any] = {name: record[name] for name in record if name not in _NO_FIGURES}
    text = str(record.get("advice") or record["event"])
    if not figures:
        return text
    return f"{text} ({', '.join(f'{name}: {value}' for name, value in figures.items())})"
