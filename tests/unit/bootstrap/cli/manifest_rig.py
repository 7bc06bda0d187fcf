"""The manifest command as a process runs it."""

from __future__ import annotations

from typer.testing import CliRunner, Result

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from bootstrap.cli import manifest

TEAM = SigningKey(KeyKind.ACCOUNT, b"t" * 32)
COMPONENT = SigningKey(KeyKind.COMPONENT, b"c" * 32).public
PROVIDER = SigningKey(KeyKind.PROVIDER, b"p" * 32).public
POLICY = f"""\
version: 1
issuers: {{team: {TEAM.public}}}
grants:
  - name: shop
    entities: [{{issuer: team, subject: {COMPONENT}}}]
    applications: [shop]
    accounts: [LATTICE_A]
    secrets: [{{keys: [/API_KEY, /live/*], properties: {{environment: [prod]}}}}]
  - name: files
    entities: [{{issuer: team, subject: {PROVIDER}}}]
    secrets: [{{keys: [/FILES_LOGIN, /CONTAINER], properties: {{environment: [prod]}}}}]
"""


def run(*words: str, env: dict[str, str] | None = None) -> Result:
    result = CliRunner().invoke(manifest.app, ["check", *words], env=env)
    assert "Traceback" not in result.output
    return result
