"""The check: what it asks, and which Role it prints."""

from __future__ import annotations

import asyncio

import pytest
import yaml
from structlog.testing import capture_logs

from adapters.kubernetes.bounds import Bounds
from adapters.kubernetes.check import RIGHTS_SECONDS
from adapters.kubernetes.rights import Right as Need
from adapters.kubernetes.rights import needed, roles_text
from adapters.upstream.engine import Failure, TransportError
from adapters.upstream.store_check import CHECK_SECONDS
from ports.store_check import StoreLimitedError, StoreMisconfiguredError, StoreUnreachableError
from tests.support.infisical_model import Result
from tests.support.kubernetes_model import ACCOUNT, MESSAGE, REVIEWS, Right
from tests.unit.adapters.kubernetes.kubernetes_rig import KubernetesRig

PROBE = "/api/v1/namespaces/shop/secrets/wasmcloud-secrets-probe"


async def test_a_secret_that_is_not_there_proves_that_all_is_well() -> None:
    rig = KubernetesRig()

    await rig.check.check()

    assert rig.targets == [PROBE, REVIEWS, REVIEWS]
    assert "PartialObjectMetadata" in rig.model.calls[0].headers["accept"]


async def test_rights_are_reviewed_again_only_after_a_while() -> None:
    rig = KubernetesRig()
    await rig.check.check()
    await rig.check.check()
    assert rig.targets[3:] == [PROBE]

    rig.clock.advance(RIGHTS_SECONDS)
    await rig.check.check()
    assert rig.targets[4:] == [PROBE, REVIEWS, REVIEWS]


async def test_the_role_that_is_missing_is_printed() -> None:
    rig = KubernetesRig(watches=True)
    rig.model.rights = {Right(ACCOUNT, verb, "shop") for verb in ("get", "list", "watch")}
    rig.model.rights.add(Right(ACCOUNT, "get", "pay"))

    with pytest.raises(StoreMisconfiguredError) as failure:
        await rig.check.check()

    text = str(failure.value)
    role, binding = yaml.safe_load_all(text.partition("\n")[2])
    assert role["kind"] == "Role"
    assert role["metadata"]["namespace"] == "pay"
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch"]}
    ]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "namespace": "shop", "name": "backend"}
    ]


async def test_get_alone_suffices_without_a_watch() -> None:
    rig = KubernetesRig()
    rig.model.rights = {Right(ACCOUNT, "get", "shop"), Right(ACCOUNT, "get", "pay")}

    await rig.check.check()


async def test_where_secrets_are_named_their_names_are_the_rights() -> None:
    rig = KubernetesRig(Bounds.of("shop", secrets=("db", "card")))
    rig.model.put("shop", "card", {"a": "b"})
    rig.model.rights = {Right(ACCOUNT, "get", "shop", "card")}

    with pytest.raises(StoreMisconfiguredError) as failure:
        await rig.check.check()

    role, _ = yaml.safe_load_all(str(failure.value).partition("\n")[2])
    assert role["rules"][0]["resourceNames"] == ["card", "db"]
    rig.model.rights.add(Right(ACCOUNT, "get", "shop", "db"))
    await rig.check.check()


async def test_impersonation_needs_a_cluster_role_and_no_right_of_ones_own() -> None:
    rig = KubernetesRig(Bounds.of("shop", users=("jane",)))
    rig.model.rights = set()

    with pytest.raises(StoreMisconfiguredError) as failure:
        await rig.check.check()

    role, binding = yaml.safe_load_all(str(failure.value).partition("\n")[2])
    assert (role["kind"], binding["kind"]) == ("ClusterRole", "ClusterRoleBinding")
    assert role["rules"] == [
        {
            "apiGroups": [""],
            "resources": ["users"],
            "resourceNames": ["jane"],
            "verbs": ["impersonate"],
        }
    ]


async def test_a_service_that_only_impersonates_is_well_without_a_right_of_its_own() -> None:
    rig = KubernetesRig(Bounds.of("shop", users=("jane",)))
    rig.model.rights = {Right(ACCOUNT, "impersonate", name="jane")}

    with capture_logs() as logs:
        await rig.check.check()
        await rig.check.check()

    missing = [log["rights"] for log in logs if log["event"] == "kubernetes.own_rights_missing"]
    assert missing == [1]


def test_a_service_account_is_impersonated_in_its_namespace() -> None:
    bounds = Bounds.of("shop", users=("system:serviceaccount:pay:reader",))

    assert needed(bounds, watches=False)[1:] == [
        Need("pay", "reader", "serviceaccounts", "impersonate")
    ]


def test_each_namespace_has_a_role_of_its_own_and_a_user_is_bound_as_one() -> None:
    rights = needed(Bounds.of("shop", ("pay",)), watches=True)
    text = roles_text(rights, rights, "jane")
    documents = list(yaml.safe_load_all(text))

    assert [each["metadata"]["namespace"] for each in documents] == ["pay", "pay", "shop", "shop"]
    assert documents[1]["subjects"] == [
        {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "jane"}
    ]
    assert "NAMESPACE" in roles_text(rights, rights[:1], None)


async def test_a_server_that_is_starting_is_waited_for() -> None:
    rig = KubernetesRig()
    rig.model.rights, rig.model.ready = set(), False

    with pytest.raises(StoreUnreachableError, match="starting"):
        await rig.check.check()


async def test_refused_credentials_leave_the_replica_not_ready() -> None:
    rig = KubernetesRig()
    rig.model.tokens.clear()

    with pytest.raises(StoreUnreachableError, match="credentials"):
        await rig.check.check()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Result(504, b""), StoreUnreachableError),
        (Result(429, b"", {"retry-after": "60"}), StoreLimitedError),
        (Result(200, b"<html>"), StoreUnreachableError),
        (Result(404, b"404 page not found"), StoreUnreachableError),
        (Result(200, {"status": "ok"}), StoreUnreachableError),
    ],
)
async def test_other_ends_of_the_probe(fault: Result, kind: type[Exception]) -> None:
    rig = KubernetesRig()
    rig.model.faults = [fault] * 9

    with pytest.raises(kind) as failure:
        await rig.check.check()

    assert type(failure.value) is kind
    assert MESSAGE not in str(failure.value)
    assert failure.value.__context__ is None


async def test_a_certificate_that_is_not_trusted_will_not_mend_by_waiting() -> None:
    rig = KubernetesRig()
    rig.failures = [TransportError(Failure.UNTRUSTED, "ConnectError")]

    with pytest.raises(StoreMisconfiguredError, match="KUBERNETES_CA_FILE"):
        await rig.check.check()


async def test_a_server_that_hangs_is_unreachable() -> None:
    rig = KubernetesRig()
    rig.gate.clear()
    check = asyncio.create_task(rig.check.check())
    await rig.settle()
    rig.clock.advance(CHECK_SECONDS)

    with pytest.raises(StoreUnreachableError):
        await check
