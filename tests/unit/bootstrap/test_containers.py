"""Everything can be built, for every kind of configuration, without a connection."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from dependency_injector import errors, providers

from adapters.change_notice.notices import ChangeNotices
from adapters.infisical.store import InfisicalSecretStore
from adapters.nats_kv.store import NatsKvSecretStore
from adapters.upstream.bounded_store import BoundedSecretStore
from bootstrap.access import AccessControl
from bootstrap.admin import Admin
from bootstrap.audit_trails import AuditTrails
from bootstrap.containers import Container
from bootstrap.lifecycle import Service
from bootstrap.server_keys import load_server_keys
from bootstrap.settings import SettingsError
from bootstrap.store_pipeline import StorePipeline
from bootstrap.workers.worker_config import RestartHistory
from domain.model.transport import Operation, Request
from domain.use_cases.answer_request import AnswerRequest
from ports.audit import AuditTrail
from ports.clock import Clock
from ports.fault_log import FaultLog
from ports.key_exchange import KeyExchange
from ports.peer_bus import PeerBus
from ports.request_ids import RequestIds
from ports.store_plugin import StoreParts
from ports.token_verifier import TokenVerifier
from ports.transport_plugin import TransportParts
from tests.fakes.audit_sink import FakeAuditSink
from tests.fakes.clock import FakeClock
from tests.fakes.secret_store import FakeSecretStore
from tests.fakes.store_check import FakeStoreCheck
from tests.support.environments import configuration, infisical_environment, nats_kv_environment
from tests.unit.bootstrap.container_rig import WEBHOOKS, container, variants

PORTS = {
    "access": AccessControl,
    "admin": Admin,
    "audits": AuditTrails,
    "clock": Clock,
    "faults": FaultLog,
    "handler": AnswerRequest,
    "key_exchange": KeyExchange,
    "request_ids": RequestIds,
    "service": Service,
    "notices": ChangeNotices,
    "peers": PeerBus,
    "pipeline": StorePipeline,
    "store": StoreParts,
    "tokens": TokenVerifier,
    "trail": AuditTrail,
    "transport": TransportParts,
}


@pytest.mark.parametrize("variant", list(variants(Path())))
def test_every_provider_builds_what_its_users_expect(tmp_path: Path, variant: str) -> None:
    built = container(**variants(tmp_path)[variant])

    for name, provider in built.providers.items():
        made = provider()
        assert made is not None or name in {"metrics", "feed"}, name
        if name in PORTS:
            assert PORTS[name] in type(made).__mro__, name


def test_the_setting_chooses_the_store(tmp_path: Path) -> None:
    assert isinstance(container(**infisical_environment()).store().store, InfisicalSecretStore)
    assert isinstance(container(**nats_kv_environment(tmp_path)).store().store, NatsKvSecretStore)


@pytest.mark.parametrize(
    ("variables", "seconds"),
    [
        ({"SECRET_STORE": "infisical"}, 5),
        ({"SECRET_STORE": "infisical", "CACHE_TTL_SECONDS": "60"}, 60),
        ({"SECRET_STORE": "infisical", "CACHE_TTL_SECONDS": "0"}, 0),
        ({"SECRET_STORE": "nats-kv"}, 0),
        ({"SECRET_STORE": "nats-kv", "CACHE_TTL_SECONDS": "5"}, 5),
        ({"SECRET_STORE": "nats-kv", "CACHE_MAX_STALE_SECONDS": "60"}, 0),
    ],
)
def test_a_store_is_cached_for_as_long_as_it_says_or_the_settings_do(
    tmp_path: Path, variables: dict[str, str], seconds: float
) -> None:
    built = container(**infisical_environment() | nats_kv_environment(tmp_path) | variables)

    pipeline = built.pipeline()

    assert pipeline.cache._config.ttl_seconds == seconds
    assert pipeline.cache._config.negative_seconds == min(1, seconds)
    assert pipeline.cache._config.call_seconds == 4.5
    assert pipeline.waits.health is pipeline.breaker
    assert pipeline.cache._inner is pipeline.breaker
    bounded = pipeline.breaker._inner
    assert isinstance(bounded, BoundedSecretStore)
    assert bounded.inner is built.store().store


@pytest.mark.parametrize(
    ("max_in_flight", "places"),
    [(1, 1), (2, 1), (3, 2), (4, 3), (50, 37), (8192, 6144)],
)
def test_three_quarters_of_the_requests_in_flight_may_wait_for_the_store(
    max_in_flight: int, places: int
) -> None:
    built = container(**infisical_environment(), MAX_IN_FLIGHT=str(max_in_flight))

    assert built.pipeline().cache.statistics().waiting_limit == places


def test_everything_is_built_once() -> None:
    built = container(**infisical_environment())

    assert built.service().pipeline is built.pipeline()
    assert built.pipeline().parts is built.store()
    assert built.service().transport is built.transport()
    assert built.peers() is built.transport().peers
    assert built.service().lateness is built.lateness()
    assert built.handler().fetch.lateness is built.lateness()


def test_a_file_without_certificates_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError, match="INFISICAL_CA_FILE must name certificates"):
        container(**infisical_environment(), INFISICAL_CA_FILE=__file__).service()


def test_credentials_that_differ_between_addresses_are_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        container(**nats_kv_environment(tmp_path), NATS_URL="nats://a:canary@h,nats://b:c@h")

    assert "NATS_URL" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_route_of_the_store_needs_an_address_to_be_reached_at() -> None:
    given = infisical_environment() | {"INFISICAL_WEBHOOK_KEY": "a-key-for-webhooks"}

    with pytest.raises(SettingsError, match=r"ADMIN_ADDR must be set.*/webhooks/infisical"):
        container(**given).service()


def limit_of(parts: StoreParts) -> int | None:
    assert isinstance(parts.store, InfisicalSecretStore)
    return parts.store._api._admission._config.max_per_minute


@pytest.mark.parametrize(
    ("reads", "workers", "shares"),
    [
        (None, 2, [None, None]),
        ("60", 2, [30, 30]),
        ("62", 4, [16, 16, 15, 15]),
        # Less than one read would be none, which no setting means.
        ("2", 3, [1, 1, 1]),
    ],
)
def test_reads_a_minute_are_shared_out_among_the_workers(
    reads: str | None, workers: int, shares: list[int | None]
) -> None:
    limit = {} if reads is None else {"INFISICAL_MAX_REQUESTS_PER_MINUTE": reads}
    given = configuration(**infisical_environment(), **limit)

    built = [
        Container(
            configuration=replace(given, workers=workers, history=RestartHistory(number)),
            keys=load_server_keys(given.service),
        ).store()
        for number in range(workers)
    ]

    assert [limit_of(parts) for parts in built] == shares


def test_settings_must_be_settings() -> None:
    with pytest.raises(errors.Error):
        Container(configuration={}, keys={}).configuration()


@pytest.mark.parametrize(("given", "announces"), [({}, False), (WEBHOOKS, True)])
def test_infisical_announces_changes_where_webhooks_come_in(
    given: dict[str, str], *, announces: bool
) -> None:
    parts = container(**infisical_environment(), **given).store()

    assert parts.announces_changes is announces
    assert [route.path for route in parts.routes] == ["/webhooks/infisical"] * announces
    assert ("/webhooks/infisical" in parts.closed_routes) is not announces


@pytest.mark.parametrize("needed", [True, False])
async def test_only_a_store_that_needs_it_gets_the_verified_entity_token(needed: bool) -> None:
    given = configuration(**infisical_environment())
    plugin = type("Plugin", (), {"needs_entity_token": needed, "title": "A store"})()
    built = Container(
        configuration=replace(given, store=given.store._replace(plugin=plugin)),
        keys=load_server_keys(given.service),
    )
    built.store.override(providers.Object(StoreParts(FakeSecretStore(), FakeStoreCheck())))

    assert built.handler().authenticate.keeps_entity_token is needed


async def test_fakes_take_the_place_of_the_world() -> None:
    built = container(**infisical_environment())
    audit = FakeAuditSink()

    with (
        built.clock.override(providers.Object(FakeClock())),
        built.audits.override(providers.Object(SimpleNamespace(trail=audit))),
        built.store.override(providers.Object(StoreParts(FakeSecretStore(), FakeStoreCheck()))),
    ):
        reply = await built.handler().handle(Request(Operation.SERVER_XKEY, b"", None, 0.0))

    assert reply.body.decode() == built.keys().current.public
    assert len(audit.events) == 1
