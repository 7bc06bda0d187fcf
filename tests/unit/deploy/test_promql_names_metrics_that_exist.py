"""The dashboard and the alert rules name metrics, labels and values that exist."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import CollectorRegistry

from adapters.metrics.catalogue import PREFIX, WATCHED_REASONS, Kind, MetricSpec
from tests.unit.adapters.metrics.replica import Replica, every_spec
from tests.unit.deploy.promql import Selector, read
from tests.unit.docs.documents import code_texts, log_events

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana/wasmcloud-secrets.json").read_text())
GROUPS: list[dict[str, Any]] = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text())[
    "groups"
]
RULES: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
EXPRESSIONS = {
    text: read(text)
    for text in (
        *(target["expr"] for panel in PANELS for target in panel["targets"]),
        *(rule["expr"] for rule in RULES),
    )
}

NOT_DRAWN = {
    # What others send, no request of a host: queried by an operator who searches.
    f"{PREFIX}requests_dropped_total",
    # The check "policy" says whether one is loaded, and the log when it was.
    f"{PREFIX}access_policy_loaded",
    f"{PREFIX}access_policy_loaded_timestamp_seconds",
    f"{PREFIX}access_policy_issuers",
    # The verdict counts; its age explains it.
    f"{PREFIX}readiness_check_age_seconds",
}

NOT_OF_THE_DASHBOARD = tuple(
    f"{PREFIX}{part}_" for part in ("vault", "kubernetes", "relay", "projection", "plugin")
)
"""The dashboard is of the service that hosts ask, and draws calls to every store alike, and beside
them what only Infisical has. The check "front" of the relay and the agent has an alert."""

SCRAPED = {"instance", "job"}
"""Labels that Prometheus itself adds."""


def selectors() -> list[Selector]:
    """Return every metric as any expression names it."""
    return [selector for expression in EXPRESSIONS.values() for selector in expression.selectors]


def watched() -> list[Selector]:
    """Return every metric as an alert names it."""
    return [selector for rule in RULES for selector in EXPRESSIONS[rule["expr"]].selectors]


@cache
def series() -> dict[str, MetricSpec]:
    """Return every series of the service by the name that queries use."""
    found = {}
    for spec in every_spec():
        suffixes = ("_bucket", "_count", "_sum") if spec.kind is Kind.HISTOGRAM else ("",)
        found.update({spec.name + suffix: spec for suffix in suffixes})
    return found


def process_series() -> set[str]:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return {sample.name for family in registry.collect() for sample in family.samples}


def labels_of(metric: str) -> set[str]:
    spec = series().get(metric)
    own = set(spec.label_names) if spec else set()
    return own | SCRAPED | ({"le"} if metric.endswith("_bucket") else set())


def test_every_metric_that_is_named_exists() -> None:
    known = series().keys() | process_series()
    for text, expression in EXPRESSIONS.items():
        assert expression.selectors, text
        assert {selector.metric for selector in expression.selectors} <= known, text


def test_every_label_that_is_named_is_one_of_its_metrics() -> None:
    for text, expression in EXPRESSIONS.items():
        named: set[str] = set()
        for selector in expression.selectors:
            assert selector.matched.keys() <= labels_of(selector.metric), selector
            named |= labels_of(selector.metric)
        assert expression.grouped_by <= named, text


def test_every_value_that_a_label_is_compared_with_can_occur() -> None:
    for selector in selectors():
        spec = series().get(selector.metric)
        for label in spec.labels if spec else ():
            for value in selector.matched.get(label.name, ()):
                assert value in (label.values or code_texts()), f"{label.name}={value}"


def test_counters_are_read_through_a_rate_and_gauges_are_not() -> None:
    for selector in selectors():
        spec = series().get(selector.metric)
        counts = selector.metric.endswith("_total") if spec is None else spec.kind != Kind.GAUGE
        assert (selector.window is not None) is counts, selector.metric


def test_every_alert_says_how_bad_it_is_what_it_is_and_what_to_do() -> None:
    for rule in RULES:
        assert re.fullmatch(r"WasmcloudSecrets([A-Z][a-z]+)+", rule["alert"])
        assert re.fullmatch(r"\d+m", rule["for"]), rule["alert"]
        assert rule["labels"]["severity"] in {"critical", "warning"}, rule["alert"]
        assert rule["annotations"].keys() == {"summary", "runbook"}, rule["alert"]
        assert all(text.endswith(".") for text in rule["annotations"].values()), rule["alert"]


def test_every_label_in_an_alerts_text_survives_its_expression() -> None:
    for rule in RULES:
        expression = EXPRESSIONS[rule["expr"]]
        shown = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))

        kept = expression.grouped_by or labels_of(expression.selectors[0].metric)
        assert shown <= kept, rule["alert"]


def test_every_log_event_that_an_alert_names_is_logged() -> None:
    runbooks = "\n".join(rule["annotations"]["runbook"] for rule in RULES)
    named = set(re.findall(r"\b[a-z_]+\.[a-z]+_?[a-z]+\b", runbooks))

    # The names of the audit sinks' events are put together when they are logged.
    assert {event for event in named if not event.startswith("audit.")} <= log_events()


def test_every_series_that_an_alert_watches_is_there_before_anything_goes_wrong() -> None:
    scraped = [(name, dict(labels)) for name, labels in Replica().samples()]

    for selector in watched():
        assert any(
            name == selector.metric
            and all(labels.get(label) in values for label, values in selector.matched.items())
            for name, labels in scraped
        ), selector


def test_of_every_value_that_an_alert_waits_for_there_is_a_series_from_the_start() -> None:
    """The increase of a series that begins with what it counts is 0."""
    scraped = [(name, dict(labels)) for name, labels in Replica().samples()]

    for selector in watched():
        for label, values in selector.matched.items():
            present = {labels.get(label) for name, labels in scraped if name == selector.metric}
            assert set(values) <= present, f"{selector.metric}: {label}"


def test_the_reasons_that_begin_at_zero_are_those_that_alerts_watch() -> None:
    reasons = {reason for selector in watched() for reason in selector.matched.get("reason", ())}

    assert reasons == set(WATCHED_REASONS)
    assert reasons <= set(code_texts())


def test_every_metric_is_drawn_or_is_left_out_on_purpose() -> None:
    drawn = {
        series()[selector.metric].name
        for panel in PANELS
        for target in panel["targets"]
        for selector in EXPRESSIONS[target["expr"]].selectors
        if selector.metric in series()
    }

    known = {spec.name for spec in every_spec() if not spec.name.startswith(NOT_OF_THE_DASHBOARD)}
    assert known - drawn == NOT_DRAWN


def test_quantiles_are_taken_of_the_buckets_of_all_processes_together() -> None:
    for text in EXPRESSIONS:
        for grouping in re.findall(r"histogram_quantile\([\d.]+, (.*?)\(\s*rate", text, re.DOTALL):
            assert re.fullmatch(r"sum by \((\w+, )*le\) ", grouping), grouping


def test_what_a_panel_draws_of_several_processes_is_taken_together_or_told_apart() -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            together = re.match(r"(60 \* )?(sum|min|max|topk|histogram_quantile)\b", target["expr"])
            told_apart = "{{instance}}" in target["legendFormat"] or panel["type"] == "table"
            assert together or told_apart, panel["title"]


def test_a_panel_of_seconds_or_bytes_draws_nothing_else() -> None:
    for panel in PANELS:
        unit = {"s": "_seconds", "bytes": "_bytes"}.get(panel["fieldConfig"]["defaults"]["unit"])
        measures = [
            selector.metric.removesuffix("_bucket")
            for target in panel["targets"]
            for selector in EXPRESSIONS[target["expr"]].selectors
            if selector.metric != f"{PREFIX}build_info"
        ]
        ends = {end for end in ("_seconds", "_bytes") for name in measures if name.endswith(end)}
        assert ends == ({unit} if unit else set()), panel["title"]


def test_no_two_alerts_or_panels_share_a_name() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)


def test_the_dashboard_can_be_imported_anywhere() -> None:
    assert DASHBOARD["uid"]
    assert "id" not in DASHBOARD
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    (asked,) = read(variables["instance"]["query"]["query"]).selectors[:1]
    assert asked.metric in series()
    for panel in PANELS:
        assert panel["datasource"]["uid"] == "${datasource}"
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])


def test_panels_do_not_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not taken & cells, panel["title"]
        taken |= cells
