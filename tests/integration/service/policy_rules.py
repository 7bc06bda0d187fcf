"""A component of one team, and a policy file that grants it one secret."""

from __future__ import annotations

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey, sign_token

TEAM = SigningKey(KeyKind.ACCOUNT, b"t" * 32)
COMPONENT = SigningKey(KeyKind.COMPONENT, b"m" * 32).public
ENTITY = sign_token(TEAM, COMPONENT, token_id="test", issued_at=1_700_000_000)
NOTHING = "version: 1\nissuers: {}\ngrants: []\n"


def rules(*paths: str) -> str:
    """Write a policy file that grants the component some paths."""
    keys = "".join(f'          - "{path}"\n' for path in paths)
    return f"""\
version: 1
issuers:
  team: {TEAM.public}
grants:
  - name: the-component
    entities:
      - issuer: team
        subject: {COMPONENT}
    secrets:
      - keys:
{keys}"""
