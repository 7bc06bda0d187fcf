"""What must hold before a value is served."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.infisical import reasons
from adapters.infisical.answer import read_secret
from domain.model.errors import SecretNotFound, SecretsError, Unauthorized, UpstreamError
from domain.model.reference import SecretLocation
from tests.unit.adapters.upstream.http_rig import answer as json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.secret import Secret

ENCODED = [{"key": "encoding", "value": "base64", "isEncrypted": False}]


def read(
    value: object = "v",
    *,
    wanted: str | None = None,
    encoding: str | None = None,
    allow: bool = False,
    members: Mapping[str, object] | None = None,
) -> Secret:
    secret = {"secretKey": "KEY", "secretValue": value, "version": 3, **(members or {})}
    answer = json_answer(200, {"secret": secret})
    location = SecretLocation("/folder/KEY", encoding=encoding)
    return read_secret(answer, location, wanted, allow_unresolved=allow)


def refused(
    kind: type[SecretsError],
    reason: str,
    *,
    wanted: str | None = None,
    members: Mapping[str, object] | None = None,
) -> None:
    with pytest.raises(kind) as refusal:
        read(wanted=wanted, members=members)
    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    "value", ["", "v", " v ", "pässwörd-日本語-🔐\ttab", "a\nb\n", "x" * 900_000]
)
def test_a_text_is_served_exactly(value: str) -> None:
    secret = read(value)

    assert (secret.value.reveal(), secret.version) == (value, "3")


def test_the_version_asked_for_must_be_the_version_served() -> None:
    assert read(wanted="3").version == "3"
    refused(SecretNotFound, reasons.VERSION_IGNORED, wanted="2")


@pytest.mark.parametrize(
    "members",
    [{"secretValueHidden": True}, {"secretValue": "<hidden-by-infisical>"}],
)
def test_a_hidden_value_is_a_refusal_and_never_a_value(members: dict[str, object]) -> None:
    refused(Unauthorized, reasons.VALUE_HIDDEN, members=members)


def test_a_value_said_to_be_visible_is_served() -> None:
    assert read(members={"secretValueHidden": False}).value.reveal() == "v"


@pytest.mark.parametrize(
    "members",
    [
        {"secretKey": "OTHER"},
        {"secretKey": "key"},
        {"secretKey": None},
        {"secretValue": None},
        {"secretValue": 5},
        {"secretValue": "\ud800"},
        {"version": None},
        {"version": "3"},
        {"version": True},
        {"version": 3.0},
    ],
)
def test_an_answer_that_is_not_the_secret_asked_for_is_refused(members: dict[str, object]) -> None:
    refused(UpstreamError, reasons.ANSWER_UNREADABLE, members=members)


@pytest.mark.parametrize("document", [None, [], {}, {"secret": None}, {"secrets": []}, "text"])
def test_an_answer_without_a_secret_is_refused(document: object) -> None:
    answer = json_answer(200, document)

    with pytest.raises(UpstreamError):
        read_secret(answer, SecretLocation("/KEY"), None, allow_unresolved=False)


@pytest.mark.parametrize(
    "value",
    [
        "x-${DOES_NOT_EXIST}-y",
        "${dev.PLAIN}",
        "${dev.folder.sub.NAME-1}",
        "abababababab${CYCLE_A}",
        "${@other-project.dev.NAME}",
        "${other-project::dev.NAME}",
        "${name@with-at}",
        "half-${dev.${dev.INNER}.KEY}",
    ],
)
def test_a_reference_left_in_the_value_is_an_error_unless_allowed(value: str) -> None:
    with pytest.raises(UpstreamError, match="/folder/KEY") as refusal:
        read(value)

    assert refusal.value.reason == reasons.REFERENCE_UNRESOLVED
    assert value not in str(refusal.value)
    assert read(value, allow=True).value.reveal() == value


@pytest.mark.parametrize(
    "value",
    [
        "costs $5 and ${ and $$ {}",
        "$HOME",
        "${}",
        "${HOME:-/nowhere}",
        "${a b}",
        "${ NAME }",
        "{NAME}",
        "$ {NAME}",
        "${NAME",
        "{{NAME}}",
        "${ÄÖÜ}",
    ],
)
def test_text_that_infisical_itself_leaves_alone_is_no_reference(value: str) -> None:
    assert read(value).value.reveal() == value


@pytest.mark.parametrize(("encoding", "metadata"), [("base64", None), (None, ENCODED)])
def test_base64_is_decoded_when_the_policy_or_the_metadata_says_so(
    encoding: str | None, metadata: object
) -> None:
    members = {"secretMetadata": metadata}

    full = read("AP/+YWI=", encoding=encoding, members=members)
    empty = read("", encoding=encoding, members=members)

    assert (full.value.reveal(), empty.value.reveal()) == (b"\x00\xff\xfeab", b"")


def test_line_breaks_of_encoding_tools_are_ignored() -> None:
    assert read("AP/+\r\nYWI=\n", encoding="base64").value.reveal() == b"\x00\xff\xfeab"


@pytest.mark.parametrize(
    "value", ["AP/+YWI", "AP/+YW J=", "AP_-YWI=", "YWJ=", "=", "ä", "YWI=YWI="]
)
def test_what_is_not_exactly_base64_is_an_error_that_does_not_show_it(value: str) -> None:
    with pytest.raises(UpstreamError, match="/folder/KEY") as refusal:
        read(value, encoding="base64")

    assert refusal.value.reason == reasons.ENCODING_BROKEN
    assert refusal.value.__context__ is None


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        [],
        {},
        "base64",
        [None],
        [{"key": "encoding"}],
        [{"key": "encoding", "value": "none"}],
        [{"key": "x", "value": "base64"}],
    ],
)
def test_other_metadata_leaves_text_as_it_is(metadata: object) -> None:
    assert read("YWI=", members={"secretMetadata": metadata}).value.reveal() == "YWI="
