"""The configuration table says what the settings say."""

from __future__ import annotations

from bootstrap.settings.model import GROUPS, Settings
from bootstrap.settings_table import settings_table


def test_every_setting_has_a_row_with_its_default_and_meaning() -> None:
    table = settings_table()

    for name, field in Settings.model_fields.items():
        assert f"| `{name.upper()}` |" in table
        assert field.description
        assert field.description in table
    assert "| `NATS_URL` | `nats://localhost:4222` |" in table
    assert "| `NATS_TLS_FIRST` | `false` |" in table


def test_every_setting_is_in_exactly_one_group() -> None:
    names = [name for _, group in GROUPS for name in group.model_fields]

    assert sorted(names) == sorted(Settings.model_fields)


def test_no_row_breaks_the_table() -> None:
    rows = [line for line in settings_table().splitlines() if line.startswith("| `")]

    assert {row.count("|") for row in rows} == {4}
