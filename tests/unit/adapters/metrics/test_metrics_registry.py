"""The registry is the replica's own, complete, cheap to ask too often, and documented."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml
from prometheus_client import REGISTRY

from adapters.admin_http.checks import (
    audit_check,
    problem_check,
    process_check,
    serving_check,
    store_check,
)
from tests.contracts.audit import ANSWERED
from tests.fakes.store_check import FakeStoreCheck
from tests.unit.adapters.metrics.replica import Replica, every_spec
from tests.unit.docs.documents import ROOT, inline_code, section

if TYPE_CHECKING:
    from adapters.metrics.catalogue import MetricSpec

PREFIX = "wasmcloud_secrets_"


def test_every_metric_of_the_catalogue_is_collected_and_no_other() -> None:
    # The client library names a counter's family without "_total".
    collected = {
        (family.name + ("_total" if family.type == "counter" else ""), family.type)
        for family in Replica().metrics.families()
        if family.name.startswith(PREFIX)
    }

    assert collected == {(spec.name, spec.kind) for spec in every_spec()}


def test_every_metric_has_exactly_the_labels_of_the_catalogue() -> None:
    replica = Replica()
    replica.trail.record(ANSWERED)
    labels_of = {spec.name: set(spec.label_names) for spec in every_spec()}

    for family in replica.metrics.families():
        for sample in family.samples if family.name.startswith(PREFIX) else ():
            name = family.name + ("_total" if family.type == "counter" else "")
            assert set(sample.labels) - {"le"} == labels_of[name], sample.name


def test_every_metric_says_what_it_means_in_one_sentence() -> None:
    for spec in every_spec():
        assert spec.meaning.endswith("."), spec.name
        assert "\n" not in spec.meaning


def test_the_release_and_the_store_are_named() -> None:
    assert Replica().value("build_info", version="1.2.3", store="infisical") == 1


def test_the_process_itself_is_measured() -> None:
    text = Replica().metrics.render().decode()

    assert "\npython_info{" in text
    assert "\npython_gc_collections_total{" in text


def test_the_text_has_the_form_of_prometheus_0_0_4_without_creation_times() -> None:
    replica = Replica()

    assert replica.metrics.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert b"_created" not in replica.metrics.render()


def test_two_replicas_in_one_process_share_nothing() -> None:
    one, other = Replica(), Replica()

    one.trail.record(ANSWERED)

    name, labels = "request_reasons_total", {"outcome": "answered", "reason": "granted"}
    assert one.value(name, **labels) == 1
    assert other.value(name, **labels) is None


def test_nothing_is_put_into_the_librarys_own_registry() -> None:
    Replica()

    assert not [family for family in REGISTRY.collect() if family.name.startswith(PREFIX)]


def test_asking_again_within_a_second_costs_no_second_collection() -> None:
    replica = Replica()
    first = replica.metrics.render()
    replica.transport.in_flight = 3

    replica.clock.advance(0.9)
    assert replica.metrics.render() is first

    replica.clock.advance(0.1)
    assert b"requests_in_flight 3.0" in replica.metrics.render()


MONITORING = ROOT / "docs" / "monitoring.md"
ALERTS = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text("utf-8"))


def rows(heading: str, first: str) -> list[list[str]]:
    """Return the cells of the rows whose first cell begins as `first` says."""
    lines = section(MONITORING, heading).splitlines()
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith(f"| `{first}")
    ]


def test_the_table_of_metrics_is_the_registrys() -> None:
    assert sorted(rows("Metrics", "wasmcloud_secrets_")) == sorted(
        [
            f"`{spec.name}`",
            str(spec.kind),
            ", ".join(f"`{name}`" for name in spec.label_names),
            spec.meaning,
        ]
        for spec in every_spec()
    )


def test_every_label_is_explained() -> None:
    explained = set(re.findall(r"^\| `(\w+)`", section(MONITORING, "Metrics"), re.MULTILINE))

    labels = {name for spec in every_spec() for name in spec.label_names}
    assert labels - {"version", "store"} <= explained


@pytest.mark.parametrize("spec", list(every_spec()), ids=lambda spec: spec.name)
def test_every_value_of_a_label_is_named(spec: MetricSpec) -> None:
    named = set(inline_code(MONITORING))
    values = {
        value for label in spec.labels if label.name != "error" for value in label.values or ()
    }

    assert values <= named


def test_the_table_of_alerts_is_that_of_the_rules() -> None:
    rules = [rule for group in ALERTS["groups"] for rule in group["rules"]]

    assert [row[:3] for row in rows("Alerts", "Wasmcloud")] == [
        [f"`{rule['alert']}`", rule["labels"]["severity"], rule["for"]] for rule in rules
    ]


def test_the_table_of_checks_is_that_of_readiness() -> None:
    checks = [
        serving_check(bool),
        problem_check("nats", lambda: None),
        store_check(FakeStoreCheck(), bool),
        problem_check("policy", lambda: None),
        audit_check(bool),
        problem_check("front", lambda: None),
        process_check(str),
    ]

    explained = section(MONITORING, "Probes").partition("| check |")[2]
    assert re.findall(r"^\| `(\w+)`", explained, re.MULTILINE) == [c.name for c in checks]
