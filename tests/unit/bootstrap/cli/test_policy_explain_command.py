"""`policy explain`: which rule decides, and what was asked wrongly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey, sign_token
from adapters.system.clock import SystemClock
from tests.unit.adapters.access_policy.policies import COMPONENT, HOST, PROVIDER
from tests.unit.bootstrap.cli.policy_commands_rig import TEAM, run

if TYPE_CHECKING:
    from pathlib import Path


STRANGER = SigningKey(KeyKind.ACCOUNT, b"s" * 32)
KEY = "/payments/[x]/KEY"


def token(
    issuer: SigningKey = TEAM, subject: str = COMPONENT, expires_in: int | None = None
) -> str:
    now = int(SystemClock().now())
    return sign_token(
        issuer,
        subject,
        token_id="t-1",
        issued_at=now,
        expires_at=None if expires_in is None else now + expires_in,
        metadata={"name": "payments", "tags": ["prod"], "rev": 3},
    )


def test_explain_names_the_grant_that_allows_a_tokens_request(file: str) -> None:
    words = ("--key", KEY, "--property", "environment=prod")

    result = run("explain", "--policy-file", file, "--entity", token(), *words)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == 'Allowed by the grant "billing" (line 4).\n'


def test_explain_takes_the_file_from_the_environment_and_the_token_from_a_file(
    file: str, tmp_path: Path
) -> None:
    path = tmp_path / "token.jwt"
    path.write_text(f"{token()}\n")
    words = ("--key", KEY, "--scope", "environment=prod")
    env = {"ACCESS_POLICY_FILE": file}

    assert run("explain", "--entity-file", str(path), *words, env=env).exit_code == 0
    assert run("explain", "--entity-file", "-", *words, env=env, stdin=token()).exit_code == 0


def test_explain_names_the_condition_that_refuses(file: str) -> None:
    words = ("--key", KEY, "--property", "environment=dev")

    result = run("explain", "--policy-file", file, "--entity", token(), *words)

    assert result.exit_code == 1
    assert "Refused: property_not_granted." in result.stdout
    assert 'The nearest grant is "billing" (line 4)' in result.stdout


HYPOTHETICAL = ("--issuer", "team", "--subject", COMPONENT, "--key", KEY)
FROM_THE_LATTICE = (
    *("--issuer", TEAM.public, "--subject", PROVIDER, "--key", "/mail/KEY", "--field", "user"),
    *("--version", "3", "--application", "shop", "--host", HOST, "--account", "HOSTS"),
    *("--user", "u1", "--backend", "other"),
)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*HYPOTHETICAL, "--name", "pay", "--tag", "prod", "--rev", "3"), "Not judged"),
        ((*HYPOTHETICAL, "--name", "pay", "--tag", "dev", "--tag", "prod"), "revision_too_old"),
        ((*HYPOTHETICAL, "--name", "pay"), "entity_tag_missing"),
        (HYPOTHETICAL, "entity_name_differs"),
        (FROM_THE_LATTICE, 'Allowed by the grant "from the lattice"'),
        ((*FROM_THE_LATTICE, "--field", "pass"), "field_not_granted"),
        ((*FROM_THE_LATTICE, "--version", "4"), "version_not_granted"),
        ((*FROM_THE_LATTICE, "--application", "x"), "application_differs"),
        ((*FROM_THE_LATTICE, "--host", "x"), "host_differs"),
        ((*FROM_THE_LATTICE, "--account", "x"), "account_differs"),
        ((*FROM_THE_LATTICE, "--user", "x"), "user_differs"),
        ((*FROM_THE_LATTICE, "--backend", "x"), "backend_not_granted"),
        ((*FROM_THE_LATTICE, "--key", "/master/a"), 'The denial is "stop"'),
        ((*FROM_THE_LATTICE, "--issuer", STRANGER.public), "issuer_not_trusted"),
    ],
)
def test_explain_judges_a_made_up_request(file: str, words: tuple[str, ...], said: str) -> None:
    result = run("explain", "--policy-file", file, *words)

    assert result.exit_code == (0 if said.startswith(("Allowed", "Not judged")) else 1)
    assert said in result.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (token(expires_in=-10), "expired"),
        (token()[:-4] + "AAAA", "bad_"),
        ("not-a-token", "bad_token"),
        (token(subject=HOST), "it is a host's"),
    ],
)
def test_explain_says_that_a_token_is_refused_before_any_rule(
    file: str, text: str, said: str
) -> None:
    result = run("explain", "--policy-file", file, "--entity", text, "--key", KEY)

    assert (result.exit_code, result.stdout) == (1, "")
    assert "before any rule" in result.stderr
    assert said in result.stderr
    assert text not in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--key", KEY), "Name the entity by"),
        (("--key", KEY, "--entity", "a", "--issuer", "team"), "Name the entity by"),
        (("--key", KEY, "--subject", COMPONENT), "Name the entity by"),
        (("--key", KEY, "--entity", "a", "--entity-file", "b"), "not both"),
        (("--key", KEY, "--entity-file", "/none/none"), "does not exist"),
        (("--key", KEY, "--issuer", "x", "--subject", COMPONENT), "Give as issuer"),
        (("--key", KEY, "--issuer", "team", "--subject", HOST), "The subject must be"),
        (("--key", "payments/KEY", "--entity", "a"), "Give --key the whole path"),
        ((*HYPOTHETICAL, "--user", "u"), "Give --account beside --user"),
        ((*HYPOTHETICAL, "--property", "a"), "Write --property as NAME=VALUE"),
        ((*HYPOTHETICAL, "--scope", "a=b", "--scope", "a=c"), "Write --scope as NAME=VALUE"),
    ],
)
def test_explain_says_in_one_line_what_was_asked_wrongly(
    file: str, words: tuple[str, ...], said: str
) -> None:
    result = run("explain", "--policy-file", file, *words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_explain_by_a_broken_file_prints_its_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("version: 2\n")

    result = run("explain", "--policy-file", str(path), *HYPOTHETICAL)

    assert result.exit_code == 2
    assert "line 1, column 10: version: " in result.stderr


WORKLOADS = """\
version: 1
issuers: {}
grants:
  - name: shop
    workloads: [{environments: [prod], namespaces: [shop], names: ["c*"]}]
    secrets: [{keys: [/shop/*]}]
"""


@pytest.mark.parametrize(
    ("workload", "environment", "code", "text"),
    [
        ("shop/cart", "prod", 0, 'Allowed by the grant "shop" (line 4).'),
        ("shop/cart", "qa", 1, "workload_environment_differs"),
        ("mail/cart", "prod", 1, "workload_namespace_differs"),
        ("shop/till", "prod", 1, 'The request has workload "till".'),
        ("shop", "prod", 2, "--workload NAMESPACE/NAME"),
        ("/cart", "prod", 2, "--workload NAMESPACE/NAME"),
        ("shop/cart", "", 2, "--workload NAMESPACE/NAME"),
    ],
)
def test_explain_judges_a_workload(
    tmp_path: Path, workload: str, environment: str, code: int, text: str
) -> None:
    (tmp_path / "policy.yaml").write_text(WORKLOADS)
    result = run(
        *("explain", "--policy-file", str(tmp_path / "policy.yaml"), "--key", "/shop/DB"),
        *("--workload", workload, "--environment", environment),
    )

    assert (result.exit_code, text in result.output) == (code, True), result.output


@pytest.mark.parametrize("option", ["--application", "--host", "--account", "--entity", "--issuer"])
def test_explain_takes_nothing_of_a_token_beside_a_workload(tmp_path: Path, option: str) -> None:
    (tmp_path / "policy.yaml").write_text(WORKLOADS)
    result = run(
        *("explain", "--policy-file", str(tmp_path / "policy.yaml"), "--key", "/shop/DB"),
        *("--workload", "shop/cart", "--environment", "prod", option, "x"),
    )

    assert result.exit_code == 2
    assert "A workload has no token" in result.output
