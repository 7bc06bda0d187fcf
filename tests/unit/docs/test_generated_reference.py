"""What the reference pages list is what the code has."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from adapters.access_policy.explain import ADVICE
from adapters.console.reasons import anchor_of, reasons
from adapters.metrics.catalogue import WATCHED_REASONS
from domain.model import errors
from tests.unit.docs.documents import ROOT, name_of
from tests.unit.docs.reasons_in_code import ANSWERED, reasons_in_code
from tests.unit.docs.refresh_reference import GENERATED, generated, with_table

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = "<!-- numbers: begin, written by python -m tests.unit.docs.refresh_reference -->\n"
END = "<!-- numbers: end -->\n"
NOTES = {"numbers_may_be_inexact"}


@pytest.mark.parametrize("path", GENERATED, ids=name_of)
def test_a_generated_page_is_as_the_code_has_it(path: Path) -> None:
    assert path.read_text("utf-8") == generated()[path], (
        "run `python -m tests.unit.docs.refresh_reference`"
    )


def test_refreshing_replaces_the_table_and_nothing_else() -> None:
    text = f"before\n{BEGIN}old\n{END}after\n"

    assert with_table(text, "numbers", "new\n") == f"before\n{BEGIN}\nnew\n\n{END}after\n"


@pytest.mark.parametrize("text", ["", BEGIN, END, BEGIN + BEGIN + END])
def test_a_page_without_its_markers_is_left_alone(text: str) -> None:
    with pytest.raises(ValueError, match="exactly once"):
        with_table(text, "numbers", "new\n")


@pytest.mark.parametrize("store", ["infisical", "kubernetes", "nats_kv", "vault"])
def test_every_constant_reason_of_a_store_is_listed(store: str) -> None:
    module = importlib.import_module(f"adapters.{store}.reasons")
    constants = {value for name, value in vars(module).items() if name.isupper()}

    assert constants - NOTES <= reasons_in_code().keys()


def test_reasons_of_policies_alerts_and_answers_are_listed() -> None:
    wanted = {*ADVICE, *WATCHED_REASONS, *ANSWERED, errors.ServiceStarved.default_reason}

    assert wanted <= reasons_in_code().keys()


@pytest.mark.parametrize(
    "reason",
    [
        *("environment_not_allowed", "project_id_not_allowed", "mount_not_allowed"),
        *("namespace_not_allowed", "role_not_allowed", "impersonate_not_allowed"),
        *("path_not_allowed", "vault_busy", "infisical_rate_limited", "kubernetes_unreachable"),
        *("policy_path_malformed", "policy_mount_malformed", "store_circuit_open", "closed"),
    ],
)
def test_a_reason_that_is_put_together_is_listed(reason: str) -> None:
    assert reason in reasons_in_code()


def test_every_refusal_names_its_error_and_every_reason_says_what_to_do() -> None:
    for reason, (names, advice) in reasons_in_code().items():
        assert bool(names) is (reason not in ANSWERED), reason
        assert min(map(len, advice)) > 10, reason


def test_a_reason_is_told_from_two_errors_of_one_choice() -> None:
    _, locked = reasons_in_code()["infisical_login_locked"]
    _, refused = reasons_in_code()["infisical_login_refused"]

    assert "locked" in locked[0]
    assert not set(locked) & set(refused)


def test_the_console_links_every_listed_reason_and_no_other() -> None:
    assert set(reasons()) == set(reasons_in_code())
    assert anchor_of("observed_key_not_granted") == anchor_of("key_not_granted")
    assert anchor_of("key_not_granted") == "key_not_granted"
    assert anchor_of('"><script>') == ""


def test_every_reason_has_an_anchor_in_the_documents() -> None:
    page = (ROOT / "docs" / "reasons.md").read_text("utf-8")

    assert all(page.count(f'<a id="{reason}"></a>') == 1 for reason in reasons_in_code())
