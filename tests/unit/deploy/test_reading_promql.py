"""The reader of PromQL that the tests of dashboard and alerts use."""

from __future__ import annotations

import pytest

from tests.unit.deploy.promql import read


@pytest.mark.parametrize(
    "broken", ["sum(a", "a)", 'a{b="c}', "a{b}", "a[5 minutes]", "(a]", 'rate(a{b~"c"}[5m])']
)
def test_a_broken_expression_is_noticed(broken: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(broken)


def test_an_expression_is_taken_apart() -> None:
    expression = read('sum by (x, le) (rate(one_total{a=~"b|c",d!="e"}[5m])) / two > 0.5')

    one, two = expression.selectors
    assert (one.metric, one.window) == ("one_total", "5m")
    assert one.matched == {"a": ("b", "c"), "d": ("e",)}
    assert (two.metric, two.matched, two.window) == ("two", {}, None)
    assert expression.grouped_by == {"x", "le"}
