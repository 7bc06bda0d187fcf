"""The policy commands as a process runs them, on a file that says a little of everything."""

from __future__ import annotations

from typer.testing import CliRunner, Result

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from bootstrap.cli import policy
from tests.unit.adapters.access_policy.policies import HOST, PROVIDER

TEAM = SigningKey(KeyKind.ACCOUNT, b"t" * 32)
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


def run(*words: str, stdin: str | bytes | None = None, env: dict[str, str] | None = None) -> Result:
    result = CliRunner().invoke(policy.app, list(words), input=stdin, env=env)
    assert "Traceback" not in result.output
    return result
