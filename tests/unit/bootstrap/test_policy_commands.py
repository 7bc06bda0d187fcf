"""The policy commands: what they print, and how they end."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from adapters.access_policy import draft_from_mappings
from adapters.access_policy.draft_from_mappings import MappingsError
from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey, sign_token
from adapters.nats.connect_errors import NatsConnectError
from adapters.system.clock import SystemClock
from bootstrap.cli import policy, policy_draft
from tests.support.audit_text import audit_line
from tests.unit.adapters.access_policy.policies import COMPONENT, HOST, PROVIDER, request
from tests.unit.adapters.access_policy.test_policy_draft_from_audit import event_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from nats.aio.client import Client

TEAM = SigningKey(KeyKind.ACCOUNT, b"t" * 32)
STRANGER = SigningKey(KeyKind.ACCOUNT, b"s" * 32)
FILE = f"""\
version: 1
issuers: {{team: {TEAM.public}}}
grants:
  - name: billing
    entities:
      - issuer: team
        names: ["pay*"]
        tags: [prod]
        min_rev: 3
    secrets:
      - keys: ["/payments/[x]/**"]
        properties: {{environment: [prod]}}
  - name: from the lattice
    entities: [{{issuer: team, subject: {PROVIDER}}}]
    accounts: [HOSTS]
    users: [u1]
    applications: [shop]
    hosts: [{HOST}]
    secrets: [{{keys: [/mail/*], fields: [user], versions: ["3"], backends: [other]}}]
denials:
  - name: stop
    keys: [/master/**]
"""
KEY = "/payments/[x]/KEY"


def run(*words: str, stdin: str | bytes | None = None, env: dict[str, str] | None = None) -> Result:
    result = CliRunner().invoke(policy.app, list(words), input=stdin, env=env)
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "policy.yaml"
    path.write_text(FILE)
    return str(path)


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


def test_check_shows_what_a_good_file_grants(file: str) -> None:
    result = run("check", file)

    assert result.exit_code == 0
    assert "Issuers: 1, grants: 2, denials: 1, revoked: 0." in result.stdout
    for shown in ("billing", "from the", "/payments/[x]/**", "stop", "every entity", "(hint)"):
        assert shown in result.stdout


def test_check_says_that_an_empty_file_refuses_every_request(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\nissuers: {}\ngrants: []\n")

    result = run("check", str(path))

    assert result.exit_code == 0
    assert "every request is refused" in result.stdout


def test_check_prints_every_mistake_on_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(FILE.replace("version: 1", "version: 2").replace("tags:", "[tag]:"))

    result = run("check", str(path))

    assert result.exit_code == 1
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines[0].startswith("line 1, column 10: version: ")
    assert lines[-1].endswith("policy.yaml has 2 mistakes.")


def test_check_of_a_file_that_is_not_there_is_asked_wrongly(tmp_path: Path) -> None:
    result = run("check", str(tmp_path / "none.yaml"))

    assert result.exit_code == 2
    assert "cannot be read" in result.stderr


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


LINE = audit_line(event_of(request())) + b"\n"


def test_draft_reads_standard_input_or_files_and_prints_a_draft(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_bytes(LINE)

    from_input = run("draft", stdin=LINE)
    from_files = run("draft", str(log), str(log))

    assert from_input.exit_code == from_files.exit_code == 0
    assert "It stands on 1 requests." in from_input.stdout
    assert "It stands on 2 requests." in from_files.stdout
    assert '"/payments/API_KEY"' in from_input.stdout
    assert from_input.stderr == ""


def test_draft_counts_what_it_left_out(tmp_path: Path) -> None:
    result = run("draft", stdin=LINE + b"Starting\n")

    assert result.exit_code == 0
    assert result.stderr == "Left out: 1 broken lines.\n"


def test_draft_writes_a_new_file_and_never_over_another(tmp_path: Path) -> None:
    output = tmp_path / "draft.yaml"

    result = run("draft", "-o", str(output), stdin=LINE)

    assert result.exit_code == 0
    assert "policy check" in result.stdout
    assert "FILL-IN-1" in output.read_text()
    again = run("draft", "-o", str(output), stdin=LINE)
    assert (again.exit_code, "exists already" in again.stderr) == (2, True)
    nowhere = run("draft", "-o", str(tmp_path / "none" / "draft"), stdin=LINE)
    assert (nowhere.exit_code, "cannot be written" in nowhere.stderr) == (2, True)


def test_draft_of_a_log_without_requests_fails(tmp_path: Path) -> None:
    empty = run("draft", stdin=b"")
    missing = run("draft", str(tmp_path / "none.log"))

    assert (empty.exit_code, "no answered request" in empty.stderr) == (1, True)
    assert (missing.exit_code, "cannot be read" in missing.stderr) == (2, True)


class _Failing:
    def __init__(self, failure: Exception) -> None:
        self._failure = failure

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Client]:
        raise self._failure
        yield


def test_import_writes_what_the_mappings_allow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []

    @asynccontextmanager
    async def open_nats() -> AsyncIterator[None]:
        yield None

    async def read_mappings(_: object, backend: str) -> dict[str, bytes]:
        asked.append(backend)
        return {COMPONENT: json.dumps(["a", "/b"]).encode()}

    monkeypatch.setattr(policy_draft, "session", lambda: open_nats)
    monkeypatch.setattr(draft_from_mappings, "read_mappings", read_mappings)

    result = run("import-nats-kv", "--bucket-name", "old")

    assert result.exit_code == 0
    assert asked == ["old"]
    assert '- "/a"' in result.stdout
    assert "FILL-IN" in result.stdout
    assert result.stderr.startswith(f'Left out: {COMPONENT} may read "/b"')


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (MappingsError("No bucket."), "No bucket.\n"),
        (NatsConnectError("NATS is away.", reason="unreachable"), "NATS is away.\n"),
        (ValueError("canary"), "ValueError"),
    ],
)
def test_import_fails_in_one_line(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, said: str
) -> None:
    monkeypatch.setattr(policy_draft, "session", lambda: _Failing(failure))

    result = run("import-nats-kv")

    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
    assert "canary" not in result.stderr
    assert result.stderr.count("\n") == 1


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
