"""Names that are no setting are told apart from settings, and never pass in silence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from adapters.nats.settings import NatsSettings
from bootstrap.settings import SettingsError, load_configuration, load_settings
from bootstrap.settings.plugins import Registry
from bootstrap.settings.variables import Variables, nearest
from tests.support.environments import infisical_environment

if TYPE_CHECKING:
    from ports.store_plugin import StorePlugin

KNOWN = ("NATS_TOKEN", "NATS_URL", "NATS_USER", "TRUSTED_ISSUERS")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TRUSTED_ISSUER", "TRUSTED_ISSUERS"),
        ("TRUSTED_ISSUERSS", "TRUSTED_ISSUERS"),
        ("TRUSTED_ISSUFRS", "TRUSTED_ISSUERS"),
        ("TRUSTED_ISSUESR", "TRUSTED_ISSUERS"),
        ("RTUSTED_ISSUERS", "TRUSTED_ISSUERS"),
        ("TRUSTED-ISSUERS", "TRUSTED_ISSUERS"),
        ("NATS_USEL", "NATS_USER"),
        ("NATS_URI", "NATS_URL"),
        ("TRUSTED_ISSU", None),
        ("RTUSTED_ISSUESR", None),
        ("PATH", None),
        ("", None),
    ],
)
def test_a_name_is_near_to_a_setting_if_one_edit_makes_it_that(
    name: str, meant: str | None
) -> None:
    assert nearest(name, KNOWN) == meant


def test_a_setting_is_never_taken_for_another_one() -> None:
    given = Variables(dict.fromkeys(("NATS_URL", "NATS_URI", "HOME"), "x"))

    assert given.misspelt(KNOWN) == (("NATS_URI", "NATS_URL"),)


def written(text: str) -> SettingsError:
    Path(".env").write_text(text)
    with pytest.raises(SettingsError) as refused:
        load_settings(NatsSettings)
    return refused.value


def test_an_unknown_name_in_the_file_ends_every_command_with_a_hint() -> None:
    text = str(written("NATS_URI=nats://h\nSOMETHING_ELSE=1\n"))

    assert "NATS_URI stands in .env and is no setting" in text
    assert "Did you mean NATS_URL?" in text
    assert "SOMETHING_ELSE stands in .env and is no setting" in text


def test_an_empty_assignment_of_an_unknown_name_is_named_as_well() -> None:
    assert "TRUSTED_ISSUER stands" in str(written("TRUSTED_ISSUER=\n"))


def test_a_variable_of_a_library_has_no_effect_in_the_file_and_is_named() -> None:
    assert "HTTPS_PROXY stands in .env" in str(written("https_proxy=http://p:1\n"))


def test_unknown_names_wrong_values_and_unusable_files_are_named_together() -> None:
    Path("user.creds").write_text("no credentials")

    text = str(written("NATS_URI=1\nNATS_CREDENTIALS_FILE=user.creds\n"))
    assert "Did you mean NATS_URL?" in text
    assert "NATS_CREDENTIALS_FILE cannot be used" in text

    text = str(written("NATS_URI=1\nNATS_USER=alone\n"))
    assert "Did you mean NATS_URL?" in text
    assert "NATS_PASSWORD must be set" in text


def test_settings_of_a_store_that_is_not_chosen_may_stand_in_the_file() -> None:
    Path(".env").write_text(
        "VAULT_ADDR=https://v\nNATS_KV_BUCKET=B\nNATS_USER=u\nNATS_PASSWORD=p\n"
    )

    assert load_settings(NatsSettings).user == "u"


def test_the_environment_is_shared_so_a_near_name_is_only_pointed_out() -> None:
    given = infisical_environment() | {"TRUSTED_ISSUER": "x", "HTTP_PROX": "y", "EDITOR": "vi"}

    found = load_configuration(Variables({name: str(text) for name, text in given.items()}))

    assert found.misspelt == (
        ("HTTP_PROX", "HTTP_PROXY"),
        ("TRUSTED_ISSUER", "TRUSTED_ISSUERS"),
    )


def test_a_start_loads_the_chosen_plugins_alone_where_every_name_is_theirs() -> None:
    loaded: list[str] = []

    class Recorded(Registry):
        @override
        def store(self, name: str) -> StorePlugin[Any]:
            loaded.append(name)
            return super().store(name)

    given = {name: str(text) for name, text in infisical_environment().items()}
    load_configuration(Variables(given | {"EDITOR": "vi"}), Recorded())
    assert loaded == ["infisical"]

    with pytest.raises(SettingsError, match=r"Did you mean VAULT_ADDR\?"):
        load_configuration(Variables(given, {"VAULT_ADDRR": "https://v"}), Recorded())
    assert {"kubernetes", "vault"} <= set(loaded)


def test_names_of_a_store_that_is_not_chosen_are_known_and_compared_with() -> None:
    given = {name: str(text) for name, text in infisical_environment().items()}

    found = load_configuration(Variables(given | {"NATS_KV_BUCKET": "B", "VAULT_ADDRR": "x"}))

    assert found.misspelt == (("VAULT_ADDRR", "VAULT_ADDR"),)


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("TRUSTED_ISSUERS='ABC", 1),
        ("NATS_USER=u\n\nTRUSTED_ISSUERS: ABC", 3),
        ("# a comment\nTRUSTED_ISSUERS='ABC';\n", 2),
        ("NATS_USER", 1),
        ("export NATS_USER\n", 1),
        ('NATS_USER="u\nNATS_PASSWORD=p\n', 1),
    ],
)
def test_a_line_that_assigns_nothing_ends_the_start_with_its_number(line: str, number: int) -> None:
    assert f".env is not read: line {number} is no assignment" in str(written(line))


def test_a_name_that_is_set_twice_is_refused() -> None:
    text = str(written("NATS_USER=a\nNATS_PASSWORD=p\nnats_user=b\n"))

    assert "lines 1 and 3 both set NATS_USER" in text


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NATS_USER=plain", "plain"),
        ("NATS_USER = spaced   ", "spaced"),
        ("export NATS_USER=exported", "exported"),
        ("NATS_USER=a # a comment", "a"),
        ("NATS_USER=a#b", "a#b"),
        ("NATS_USER='a # b'", "a # b"),
        ('NATS_USER="a # b" # c', "a # b"),
        ("NATS_USER=${HOME}", "${HOME}"),
        ('NATS_USER="$HOME and ${HOME}"', "$HOME and ${HOME}"),
        ("NATS_USER='a\\nb'", "a\\nb"),
        ('NATS_USER="a\\nb"', "a\nb"),
        ("NATS_USER='it\\'s'", "it's"),
        ("\ufeffNATS_USER=after-a-mark", "after-a-mark"),
        ("NATS_USER=windows\r", "windows"),
    ],
)
def test_a_value_reaches_the_service_as_the_rules_of_quoting_say(line: str, value: str) -> None:
    Path(".env").write_text(f"{line}\nNATS_PASSWORD=p\n", "utf-8", newline="")

    assert load_settings(NatsSettings).user == value
