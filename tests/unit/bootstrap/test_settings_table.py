"""The configuration table says what the settings say."""

from __future__ import annotations

from bootstrap.settings.model import Settings, every_group, every_variable
from bootstrap.settings_table import settings_table


def test_every_setting_has_a_row_with_its_default_and_meaning() -> None:
    table = settings_table()

    for group in every_group(shipped=True):
        for name, variables in group.model.variables().items():
            assert all(f"`{variable}`" in table for variable in variables)
            description = group.model.model_fields[name].description
            assert description
            assert description in table
    assert "| `NATS_URL` | `nats://localhost:4222` |" in table
    assert "| `NATS_TLS_FIRST` | `false` |" in table


def test_every_setting_is_in_exactly_one_group() -> None:
    variables = every_variable()

    assert len(variables) == len(set(variables))
    assert {name.upper() for name in Settings.model_fields} <= set(variables)


def test_no_row_breaks_the_table() -> None:
    rows = [line for line in settings_table().splitlines() if line.startswith("| `")]

    assert {row.count("|") for row in rows} == {4}
