"""The column of a mistake in a policy file, beside its line."""

from __future__ import annotations

from tests.unit.adapters.access_policy.policies import problems_in


def test_a_mistake_is_reported_by_its_column_in_characters_too() -> None:
    found = problems_in("version: {a: 1}\nissuers: {}\ngrants: [{name: 'é', é: x, c: &b y}]\n")

    assert found[0].startswith("line 1, column 10: version: this has another form")
    assert any(each.startswith('line 3, column 25: grants[0] "é": é: no such') for each in found)
    assert any(each.startswith("line 3, column 31: an anchor") for each in found)
