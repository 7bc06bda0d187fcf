"""docs/monitoring.md lists the metrics, the alerts and the checks as they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from adapters.admin_http.checks import (
    audit_check,
    problem_check,
    process_check,
    serving_check,
    store_check,
)
from tests.fakes.store_check import FakeStoreCheck
from tests.unit.adapters.metrics.replica import every_spec
from tests.unit.docs.documents import ROOT, inline_code, section

if TYPE_CHECKING:
    from adapters.metrics.catalogue import MetricSpec

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
