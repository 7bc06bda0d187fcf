"""The judge behind the console's form is the service's, and the command line's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from adapters.console.sources import Question
from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey, sign_token
from bootstrap.access import AccessControl
from bootstrap.cli import policy
from bootstrap.console import MAX_LINES, judge_question
from tests.fakes.clock import FakeClock
from tests.fakes.secret_store import FakeSecretStore
from tests.support.environments import configuration, infisical_environment

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.console.sources import Judgement

TEAM = SigningKey(KeyKind.ACCOUNT, b"t" * 32)
STRANGER = SigningKey(KeyKind.ACCOUNT, b"s" * 32)
NOW = 1_800_000_000
GRANT = """\
  - name: billing
    entities: [{issuer: team, names: ["pay*"]}]
    secrets: [{keys: ["/payments/**"], properties: {environment: [prod]}}]
"""
FILE = f"""\
version: 1
issuers: {{team: {TEAM.public}}}
grants:
{GRANT}denials:
  - name: stop
    keys: [/payments/platform/**]
"""


def token(issuer: SigningKey = TEAM, kind: KeyKind = KeyKind.COMPONENT, at: int = NOW) -> str:
    return sign_token(
        issuer,
        SigningKey.generate(kind).public,
        token_id="canary-token",
        issued_at=at,
        metadata={"name": "payments"},
    )


async def access(folder: Path, text: str = FILE, **settings: object) -> AccessControl:
    path = folder / "policy.yaml"
    path.write_text(text, "utf-8")
    given = configuration(**infisical_environment(), ACCESS_POLICY_FILE=path, **settings).service
    control = AccessControl(given, FakeClock(), requester_required=False)
    await control.load()
    return control


def judged(control: AccessControl, question: Question) -> Judgement:
    return judge_question(
        question,
        access=control,
        store=FakeSecretStore(("prod", "dev")),
        backend="infisical",
        now=NOW,
        leeway=30,
    )


async def test_a_request_that_a_grant_allows_names_grant_line_and_place(tmp_path: Path) -> None:
    found = judged(await access(tmp_path), Question(token=token(), key="payments/KEY"))

    assert found.allowed
    assert found.reason == "granted"
    assert found.place == "/payments/KEY, environment prod"
    assert found.lines == ('Allowed by the grant "billing" (line 4).',)


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (Question(token=token(), key="mail/KEY"), "key_not_granted"),
        (Question(token=token(), key="payments/platform/KEY"), "denied_by_rule"),
        (Question(token=token(STRANGER), key="payments/KEY"), "issuer_not_trusted"),
        (
            Question(token=token(), key="payments/KEY", properties={"environment": "dev"}),
            "property_not_granted",
        ),
    ],
)
async def test_a_refusal_has_the_reason_that_a_host_would_leave_in_the_audit_trail(
    tmp_path: Path, question: Question, reason: str
) -> None:
    found = judged(await access(tmp_path), question)

    assert (found.allowed, found.reason) == (False, reason)
    assert any(line.startswith("What to do: ") for line in found.lines)


async def test_the_command_line_says_the_same(tmp_path: Path) -> None:
    asked = token(at=1_700_000_000)
    found = judged(await access(tmp_path), Question(token=asked, key="mail/KEY", every_grant=True))

    words = ["explain", "--entity", asked, "--key", "/mail/KEY", "--scope", "environment=prod"]
    printed = CliRunner().invoke(
        policy.app, [*words, "--file", str(tmp_path / "policy.yaml"), "--all"]
    )

    said = " ".join(" ".join(found.lines).split())
    assert " ".join(printed.output.split()) == said


@pytest.mark.parametrize(
    "bad", ["no token", token(kind=KeyKind.HOST), token(at=NOW + 3600), token()[:-4] + "AAAA"]
)
async def test_a_token_that_is_refused_before_any_rule_has_no_decision(
    tmp_path: Path, bad: str
) -> None:
    found = judged(await access(tmp_path), Question(token=bad, key="payments/KEY"))

    assert (found.allowed, found.reason) == (None, "")
    assert "refuses this token before any rule" in found.lines[0]
    assert "canary" not in repr(found)


async def test_clocks_may_differ_by_as_much_as_the_service_lets_them(tmp_path: Path) -> None:
    control = await access(tmp_path)

    ahead, too_far = (Question(token=token(at=NOW + s), key="payments/KEY") for s in (29, 31))

    assert judged(control, ahead).allowed
    assert judged(control, too_far).allowed is None


@pytest.mark.parametrize("key", ["payments/../KEY", "", "payments/"])
async def test_a_key_that_names_no_place_is_judged_without_one(tmp_path: Path, key: str) -> None:
    found = judged(await access(tmp_path), Question(token=token(), key=key))

    assert (found.allowed, found.reason, found.place) == (False, "key_not_granted", "")
    assert any("names no place" in line for line in found.lines)


async def test_what_is_only_observed_is_said_to_be(tmp_path: Path) -> None:
    control = await access(tmp_path, AUTHORIZATION_MODE="observe")

    found = judged(control, Question(token=token(), key="mail/KEY"))

    assert (found.allowed, found.reason) == (True, "observed_key_not_granted")
    assert "Nothing is enforced" in found.lines[0]
    assert "Refused: key_not_granted." in found.lines


async def test_a_requester_that_must_be_known_is_asked_for(tmp_path: Path) -> None:
    await access(tmp_path)
    given = configuration(
        **infisical_environment(), ACCESS_POLICY_FILE=tmp_path / "policy.yaml"
    ).service
    control = AccessControl(given, FakeClock(), requester_required=True)
    await control.load()

    unknown = judged(control, Question(token=token(), key="payments/KEY"))
    known = judged(control, Question(token=token(), key="payments/KEY", account="A"))

    assert unknown.reason == "requester_unknown"
    assert known.allowed


@pytest.mark.parametrize(
    ("settings", "issuer", "reason"),
    [
        ({"TRUSTED_ISSUERS": TEAM.public}, TEAM, "trusted_issuer"),
        ({"TRUSTED_ISSUERS": TEAM.public}, STRANGER, "issuer_not_trusted"),
        ({}, STRANGER, "any_valid_entity"),
    ],
)
def test_without_a_file_the_issuers_decide(
    settings: dict[str, str], issuer: SigningKey, reason: str
) -> None:
    given = configuration(**infisical_environment(), **settings).service
    control = AccessControl(given, FakeClock(), requester_required=False)

    found = judged(control, Question(token=token(issuer), key="KEY"))

    assert found.reason == reason
    assert "issuer" in found.lines[0] or "signature" in found.lines[0]


async def test_a_long_explanation_is_cut_and_says_where_the_rest_is(tmp_path: Path) -> None:
    grants = "".join(GRANT.replace("billing", f"billing {n}") for n in range(MAX_LINES + 50))
    control = await access(tmp_path, FILE.replace(GRANT, grants))

    found = judged(control, Question(token=token(), key="payments/KEY", every_grant=True))

    assert len(found.lines) == MAX_LINES + 1
    assert "policy explain --all" in found.lines[-1]
