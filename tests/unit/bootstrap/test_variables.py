"""One reader fills every group of settings, whatever its variables are called."""

from __future__ import annotations

from typing import ClassVar

import pytest
from pydantic import AliasChoices, Field, SecretStr

from bootstrap.settings import SettingsError
from bootstrap.settings.variables import Variables
from ports.settings import SettingsGroup


class Vault(SettingsGroup):
    """As a store may declare it."""

    prefix: ClassVar[str] = "VAULT_"

    address: str = Field(
        validation_alias=AliasChoices("VAULT_ADDR", "BAO_ADDR"), description="Where it is."
    )
    tries: int = Field(default=3, ge=1, description="How often.")
    token: SecretStr | None = Field(default=None, description="A token.")


def load(**variables: str) -> Vault:
    return Variables(variables).load(Vault)


def problems(**variables: str) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        load(**variables)
    return {problem.setting: problem.advice for problem in caught.value.problems}


@pytest.mark.parametrize("name", ["VAULT_ADDR", "BAO_ADDR", "bao_addr"])
def test_each_of_a_settings_names_is_read_in_any_case(name: str) -> None:
    assert load(**{name: "https://a"}).address == "https://a"


def test_names_that_mean_the_same_may_agree_and_not_differ() -> None:
    assert load(VAULT_ADDR="https://a", BAO_ADDR="https://a").address == "https://a"

    found = problems(VAULT_ADDR="https://a", BAO_ADDR="https://b")

    assert found == {"VAULT_ADDR, BAO_ADDR": "mean the same and are set differently; unset one."}


def test_a_problem_names_the_variable_that_was_set() -> None:
    assert set(problems(BAO_ADDR="https://a", VAULT_TRIES="0", VAULT_TOKEN="canary")) == {
        "VAULT_TRIES"
    }
    assert problems(VAULT_TRIES="many", VAULT_TOKEN="canary") == {
        "VAULT_ADDR": "is not set; set it.",
        "VAULT_TRIES": "must be a whole number.",
    }


def test_the_environment_wins_over_the_file_and_what_is_empty_is_unset() -> None:
    given = Variables(
        {"VAULT_ADDR": "https://a", "VAULT_TRIES": ""}, {"vault_addr": "b", "VAULT_TRIES": "7"}
    )

    settings = given.load(Vault)

    assert (settings.address, settings.tries) == ("https://a", 7)
    assert given.has("VAULT_TOKEN", "VAULT_TRIES")
    assert not given.has("VAULT_TOKEN")
    assert given.text("VAULT_ADDR") == "https://a"


def test_a_field_that_is_misspelled_in_code_is_refused() -> None:
    with pytest.raises(SettingsError, match="no setting of this group"):
        Vault.model_validate({"address": "https://a", "trys": 3})
