"""The registry is the replica's own, complete, and cheap to ask too often."""

from __future__ import annotations

from prometheus_client import REGISTRY

from tests.contracts.audit import ANSWERED
from tests.unit.adapters.metrics.replica import Replica, every_spec

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
