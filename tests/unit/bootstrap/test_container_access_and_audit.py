"""Which access rules, audit trails and metrics the settings choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.access_policy.file import AccessPolicyFile
from adapters.admin_http.server import AdminHttp
from adapters.audit.file import AuditFile
from adapters.audit.sink import AuditFanOut, ServedApart
from adapters.audit.summed_refusals import SummedRefusals
from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from adapters.metrics.audit_trail import MeteredAuditTrail
from adapters.metrics.secret_store import MeteredSecretStore
from adapters.nats.transport import NatsTransport
from adapters.telemetry.audit_log import AuditLog
from adapters.upstream.bounded_store import BoundedSecretStore
from domain.model.access import AnyValidEntity, TrustedIssuers
from domain.model.access_modes import AppliedPolicy
from domain.model.identity import AccountKey
from tests.support.environments import infisical_environment
from tests.unit.bootstrap.container_rig import container, variants

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.audit.sink import AuditSink
    from bootstrap.audit_trails import AuditTrails
    from domain.model.access import AccessPolicy


KNOWN = {"NATS_REQUESTER_REQUIRED": "true"}


def rules(policy: AccessPolicy) -> list[object]:
    """Return how strictly which rules are applied, and last the accounts that these trust."""
    match policy:
        case AppliedPolicy():
            said = ("admits_workloads", "requires_requester", "only_observes")
            return [*(name for name in said if getattr(policy, name)), *rules(policy.inner)]
        case TrustedIssuers():
            return [type(policy), policy.issuers]
        case _:
            return [type(policy)]


def test_named_issuers_choose_the_rules() -> None:
    issuer = SigningKey.generate(KeyKind.ACCOUNT).public

    named = container(**infisical_environment(), TRUSTED_ISSUERS=issuer).access()

    anyone = container(**infisical_environment()).access()
    assert rules(anyone.policy) == [AnyValidEntity]
    assert rules(named.policy) == [TrustedIssuers, {AccountKey(issuer)}]


def test_a_policy_file_chooses_the_rules() -> None:
    built = container(**infisical_environment(), ACCESS_POLICY_FILE=__file__)

    access = built.access()

    assert isinstance(access.file, AccessPolicyFile)
    assert rules(access.policy) == ["admits_workloads", AccessPolicyFile]
    assert access.policy.inner is access.file
    assert built.handler().authorize.policy is access.policy
    assert built.handler().authorize.hide_missing


def test_whoever_only_observes_lets_unknown_requesters_through_as_well() -> None:
    built = container(
        **infisical_environment(), AUTHORIZATION_MODE="observe", NATS_REQUESTER_REQUIRED="true"
    )

    assert rules(built.access().policy) == [
        "requires_requester",
        "only_observes",
        AnyValidEntity,
    ]


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
