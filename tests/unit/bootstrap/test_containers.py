"""Everything can be built, for every kind of configuration, without a connection."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from dependency_injector import errors, providers

from adapters.access_policy.file import AccessPolicyFile
from adapters.admin_http.server import AdminHttp
from adapters.audit.fan_out import AuditFanOut
from adapters.audit.file import AuditFile
from adapters.audit.served_apart import ServedApart
from adapters.audit.summed_refusals import SummedRefusals
from adapters.change_notice.notices import ChangeNotices
from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from adapters.infisical.store import InfisicalSecretStore
from adapters.metrics.audit_trail import MeteredAuditTrail
from adapters.metrics.secret_store import MeteredSecretStore
from adapters.nats.transport import NatsTransport
from adapters.nats_kv.store import NatsKvSecretStore
from adapters.telemetry.audit_log import AuditLog
from adapters.upstream.bounded_store import BoundedSecretStore
from bootstrap.access import AccessControl
from bootstrap.admin import Admin
from bootstrap.audit_trails import AuditTrails
from bootstrap.containers import Container
from bootstrap.lifecycle import Service
from bootstrap.server_keys import load_server_keys
from bootstrap.settings import SettingsError
from bootstrap.store_pipeline import StorePipeline
from bootstrap.workers.restart_history import RestartHistory
from domain.model.access import AnyValidEntity, TrustedIssuers
from domain.model.access_modes import ObservedPolicy, RequesterRequired, SignedCallersOnly
from domain.model.identity import AccountKey
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
from tests.support.environments import (
    configuration,
    infisical_environment,
    nats_kv_environment,
    new_xkey_seed,
)

if TYPE_CHECKING:
    from adapters.audit.sink import AuditSink

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


TRACES = {"TRACES_ENDPOINT": "http://localhost:4318/v1/traces"}
KNOWN = {"NATS_REQUESTER_REQUIRED": "true"}
WEBHOOKS = {"ADMIN_ADDR": ":9090", "INFISICAL_WEBHOOK_KEY": "a-key-for-webhooks"}


def container(**variables: Any) -> Container:
    given = configuration(**variables)
    return Container(configuration=given, keys=load_server_keys(given.service))


def variants(folder: Path) -> dict[str, dict[str, str]]:
    issuer = SigningKey.generate(KeyKind.ACCOUNT).public
    user = SigningKey.generate(KeyKind.USER).seed_text()
    infisical, nats_kv = infisical_environment(), nats_kv_environment(folder)
    return {
        "infisical": infisical,
        "nats-kv": nats_kv,
        "client secret in a file": {
            **{name: text for name, text in infisical.items() if "CLIENT_SECRET" not in name},
            "INFISICAL_CLIENT_SECRET_FILE": __file__,
        },
        "own rate limit": infisical | {"INFISICAL_MAX_REQUESTS_PER_MINUTE": "100"},
        "trusted issuers": infisical | {"TRUSTED_ISSUERS": issuer},
        "policy file": infisical | {"ACCESS_POLICY_FILE": __file__},
        "policy file, required": infisical
        | {"ACCESS_POLICY_FILE": __file__, "REQUIRE_ACCESS_POLICY": "true"},
        "observed": infisical | {"AUTHORIZATION_MODE": "observe"},
        "known requesters": infisical | {"NATS_REQUESTER_REQUIRED": "true"},
        "audit file": infisical | {"AUDIT_FILE": "audit.log", "AUDIT_FILE_FSYNC": "always"},
        "audit stream": nats_kv | {"AUDIT_STREAM": "SECRETS_AUDIT", "AUDIT_WHEN_FULL": "drop"},
        "audit everywhere": infisical | {"AUDIT_FILE": "audit.log", "AUDIT_STREAM": "AUDIT"},
        "audit not in the log": infisical | {"AUDIT_FILE": "audit.log", "AUDIT_LOG": "false"},
        "no cache": infisical | {"CACHE_TTL_SECONDS": "0"},
        "cached": nats_kv | {"CACHE_TTL_SECONDS": "5"},
        "only stale values kept": nats_kv | {"CACHE_MAX_STALE_SECONDS": "60"},
        "monitored": infisical | {"ADMIN_ADDR": ":9090"},
        "traced": infisical | TRACES,
        "traced and monitored": nats_kv | TRACES | {"ADMIN_ADDR": ":9090"},
        "webhooks": infisical | WEBHOOKS,
        "webhooks, nothing kept": infisical | WEBHOOKS | {"CACHE_TTL_SECONDS": "0"},
        "monitored, everything": nats_kv
        | {
            "ACCESS_POLICY_FILE": __file__,
            "ADMIN_ADDR": "[::1]:9090",
            "AUDIT_FILE": "audit.log",
            "AUDIT_STREAM": "AUDIT",
            "CACHE_TTL_SECONDS": "5",
        },
        "retired keys": infisical | {"SERVER_XKEY_RETIRED_SEEDS": new_xkey_seed()},
        "nkey": nats_kv | {"NATS_NKEY_SEED": user},
        "nkey with jwt": nats_kv | {"NATS_NKEY_SEED": user, "NATS_USER_JWT": "jwt"},
        "credentials file": nats_kv | {"NATS_CREDENTIALS_FILE": __file__},
        "password": nats_kv | {"NATS_USER": "u", "NATS_PASSWORD": "p"},
        "token": nats_kv | {"NATS_TOKEN": "t"},
        "credentials in the address": nats_kv | {"NATS_URL": "nats://u:p@h1,tls://u:p@h2"},
        "tls": nats_kv | {"NATS_TLS_CERT_FILE": __file__, "NATS_TLS_KEY_FILE": __file__},
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


def test_named_issuers_choose_the_rules() -> None:
    issuer = SigningKey.generate(KeyKind.ACCOUNT).public

    named = container(**infisical_environment(), TRUSTED_ISSUERS=issuer).access()

    assert container(**infisical_environment()).access().policy == SignedCallersOnly(
        AnyValidEntity()
    )
    assert named.policy == SignedCallersOnly(TrustedIssuers(frozenset({AccountKey(issuer)})))


def test_a_policy_file_chooses_the_rules() -> None:
    built = container(**infisical_environment(), ACCESS_POLICY_FILE=__file__)

    access = built.access()

    assert isinstance(access.policy, AccessPolicyFile)
    assert access.policy is access.file
    assert built.handler().authorize.policy is access.policy
    assert built.handler().authorize.hide_missing


def test_whoever_only_observes_lets_unknown_requesters_through_as_well() -> None:
    built = container(
        **infisical_environment(), AUTHORIZATION_MODE="observe", NATS_REQUESTER_REQUIRED="true"
    )

    assert built.access().policy == SignedCallersOnly(
        ObservedPolicy(RequesterRequired(AnyValidEntity()))
    )


def test_the_header_that_names_requesters_is_read_only_where_they_are_required() -> None:
    settings = infisical_environment()

    for required, given in ((False, settings), (True, settings | KNOWN)):
        transport = container(**given).transport().transport
        assert isinstance(transport, NatsTransport)
        assert transport._vouches is required


def test_the_audit_trail_goes_where_the_settings_say() -> None:
    settings = infisical_environment()

    def sink_of(audits: AuditTrails) -> AuditSink:
        # Refusals are summed up before they go anywhere.
        assert isinstance(audits.trail, SummedRefusals)
        return audits.trail._inner

    assert isinstance(sink_of(container(**settings).audits()), AuditLog)
    only_file = container(**settings, AUDIT_FILE="f", AUDIT_LOG="false").audits()
    assert isinstance(sink_of(only_file), AuditFile)
    everywhere = sink_of(container(**settings, AUDIT_FILE="f", AUDIT_STREAM="S").audits())
    assert isinstance(everywhere, AuditFanOut)
    assert [type(sink) for sink in everywhere._sinks] == [AuditLog, AuditFile, ServedApart]
    streams = everywhere._sinks[-1]
    assert isinstance(streams, ServedApart)
    configs = [sink._config for sink in (streams._served, streams._others)]  # type: ignore[attr-defined]  # the streams'
    assert [config.stream for config in configs] == ["S", "S_REFUSED"]
    assert len({config.subject for config in configs}) == 2


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


def test_without_an_address_nothing_listens_and_nothing_is_counted() -> None:
    built = container(**infisical_environment())

    assert built.admin().readiness is None
    assert built.admin()._listener is None
    assert built.metrics() is None
    assert built.pipeline().metered is None
    assert built.trail() is built.audits().trail


def test_with_an_address_calls_and_requests_are_counted_where_they_happen() -> None:
    built = container(**infisical_environment(), ADMIN_ADDR=":9090")

    pipeline = built.pipeline()

    assert isinstance(built.admin()._listener, AdminHttp)
    assert pipeline.breaker._inner is pipeline.metered
    assert isinstance(pipeline.metered, MeteredSecretStore)
    bounded = pipeline.metered._inner
    assert isinstance(bounded, BoundedSecretStore)
    assert bounded.inner is built.store().store
    assert isinstance(built.trail(), MeteredAuditTrail)
    assert built.handler().audit is built.trail()


def test_every_part_that_is_configured_has_metrics(tmp_path: Path) -> None:
    built = container(**variants(tmp_path)["monitored, everything"])
    built.service()

    registry = built.metrics()

    assert registry is not None
    shown = {family.name for family in registry.families()}
    prefix = "wasmcloud_secrets_"
    assert shown >= {
        f"{prefix}access_policy_loaded",
        f"{prefix}audit_events_waiting",
        f"{prefix}cache_entries",
        f"{prefix}nats_connected",
        f"{prefix}requests",
        f"{prefix}store_call_duration_seconds",
        f"{prefix}store_circuit_open",
    }


@pytest.mark.parametrize(
    ("variant", "shows"), [("monitored", True), ("monitored, everything", False)]
)
def test_only_infisical_has_metrics_of_its_login_and_its_limits(
    tmp_path: Path, variant: str, shows: bool
) -> None:
    built = container(**variants(tmp_path)[variant])
    built.service()

    registry = built.metrics()

    assert registry is not None
    shown = {family.name for family in registry.families()}
    assert ("wasmcloud_secrets_infisical_calls" in shown) is shows


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
        configuration=replace(given, store=replace(given.store, plugin=plugin)),
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
