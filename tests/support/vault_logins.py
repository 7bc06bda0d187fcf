"""Logins and tokens as Vault has them: AppRole with its lockout, JWT, inline, renewal, wrapping."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from tests.support.infisical_model import Result

if TYPE_CHECKING:
    from tests.support.infisical_model import Call

ROLE_ID, SECRET_ID = "67a06c7e-16ae-ef19-dfa0-3777908bf290", "canary-secret-id"
ROOT = "s.canary-given-token"
MAX_WRONG = 5


def errors(status: int, *texts: str, **headers: str) -> Result:
    """Return a refusal in Vault's shape."""
    body = json.dumps({"errors": list(texts)}, separators=(",", ":")).encode() + b"\n"
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Result(status, body, {"content-type": "application/json", **names})


def decode_segment(segment: str) -> bytes:
    """Read unpadded base64url."""
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


EMPTY_LOGINS = {
    "auth/approle/login": (500, "missing role_id"),
    "auth/jwt/login": (400, "missing role"),
    "auth/kubernetes/login": (400, "missing role"),
}
"""What a login without credentials is answered, whatever role is locked (measured)."""


@dataclass
class VaultLogins:
    """What may log in, and what did.

    Attributes:
        secret_ids: those that count, with the role_id `ROLE_ID`.
        lease: seconds that a login's token lasts; 0 for ever.
        renewed_lease: what a renewal grants; None as much as the login, 0 refuses it.
        token_type: "service" or "batch".
        jwt_keys: raw public keys that logins by JWT are verified with.
        jwt_roles: audience by role.
        knows_inline: whether reads may carry a login.
        tokens: those that count.
        claims: of each login by JWT, in order.
        wrapped: secret_ids by wrapping token, with the path that made each.
    """

    secret_ids: set[str] = field(default_factory=lambda: {SECRET_ID})
    lease: int = 3600
    renewed_lease: int | None = None
    token_type: str = "service"
    jwt_keys: list[bytes] = field(default_factory=list)
    jwt_roles: dict[str, str] = field(default_factory=lambda: {"demo": "Vault"})
    knows_inline: bool = True
    tokens: set[str] = field(default_factory=lambda: {ROOT})
    claims: list[dict[str, Any]] = field(default_factory=list)
    wrapped: dict[str, tuple[str, str]] = field(default_factory=dict)
    wrong: int = 0
    logins: int = 0
    renewals: int = 0
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def answer(self, path: str, call: Call) -> Result:
        """Answer a POST."""
        body: dict[str, str] = json.loads(call.body or b"{}")
        if not body and path in EMPTY_LOGINS:
            return errors(*EMPTY_LOGINS[path])
        return self._answer(path, body, call)

    def _answer(self, path: str, body: dict[str, str], call: Call) -> Result:
        match path:
            case "auth/approle/login":
                return self._approle(body)
            case "auth/jwt/login" | "auth/kubernetes/login" | "auth/cert/login":
                self.logins += 1
                by_certificate = path == "auth/cert/login"
                problem = (
                    None
                    if by_certificate
                    else self._verify(body.get("jwt", ""), body.get("role", ""))
                )
                return problem or self._token()
            case "auth/token/renew-self":
                return self._renew(call.headers.get("x-vault-token", ""))
            case "sys/wrapping/lookup":
                return self._wrapped(self.wrapped.get(body.get("token", "")), "creation_path")
            case "sys/wrapping/unwrap":
                token = call.headers.get("x-vault-token", "")
                return self._wrapped(self.wrapped.pop(token, None), "secret_id")
            case _:
                return errors(403, "permission denied")

    def refusal(self, call: Call) -> Result | None:
        """Return what becomes of a read that may not be made; None for one that may."""
        inline = call.headers.get("x-vault-inline-auth-path")
        if inline is not None and self.knows_inline:
            if "x-vault-token" in call.headers:
                return errors(500, "cannot layer inline authentication with token authentication")
            if inline != "auth/jwt/login":
                return errors(403, "permission denied", x_vault_inline_auth_failed="true")
            return self._verify(
                _parameter(call, "jwt"), _parameter(call, "role"), x_vault_inline_auth_failed="true"
            )
        if call.headers.get("x-vault-token", "") not in self.tokens:
            return errors(403, "permission denied")
        return None

    def _approle(self, body: dict[str, str]) -> Result:
        self.logins += 1
        if self.wrong >= MAX_WRONG:
            return errors(403, "permission denied")
        if body.get("role_id") != ROLE_ID or body.get("secret_id") not in self.secret_ids:
            self.wrong += 1
            return errors(400, "invalid role or secret ID")
        self.wrong = 0
        return self._token()

    def _wrapped(self, found: tuple[str, str] | None, member: str) -> Result:
        if found is None:
            return errors(400, "wrapping token is not valid or does not exist")
        return _ok(data={member: found[0] if member == "creation_path" else found[1]})

    def _token(self) -> Result:
        letter = "b" if self.token_type == "batch" else "s"
        token = f"{letter}.canary-token-{next(self._numbers)}"
        self.tokens.add(token)
        return _ok(auth=self._auth(token, self.lease))

    def _renew(self, token: str) -> Result:
        self.renewals += 1
        if token not in self.tokens:
            return errors(403, "permission denied")
        granted = self.lease if self.renewed_lease is None else self.renewed_lease
        if self.token_type == "batch" or not granted:
            return errors(400, "lease is not renewable")
        return _ok(auth=self._auth(token, granted))

    def _auth(self, token: str, lease: int) -> dict[str, Any]:
        return {
            "client_token": token,
            "lease_duration": lease,
            "renewable": self.token_type != "batch",
            "token_type": self.token_type,
        }

    def _verify(self, token: str, role: str, **headers: str) -> Result | None:
        """Check a token as the JWT auth method does; returns the refusal."""
        prefix = "error validating token: "
        if role not in self.jwt_roles:
            return errors(400, f'role "{role}" could not be found', **headers)
        try:
            head, claims, signature = token.split(".")
            header = json.loads(decode_segment(head))
            document = json.loads(decode_segment(claims))
        except ValueError:
            text = f"{prefix}error verifying token signature: must have three parts"
            return errors(400, text, **headers)
        if header["alg"] != "EdDSA" or not any(
            _verifies(key, f"{head}.{claims}", signature) for key in self.jwt_keys
        ):
            text = f"{prefix}error verifying token signature: no known key successfully validated"
            return errors(400, text, **headers)
        if document["aud"] != self.jwt_roles[role]:
            return errors(400, f"{prefix}invalid audience (aud) claim", **headers)
        self.claims.append(document)
        return None


def _verifies(key: bytes, message: str, signature: str) -> bool:
    try:
        VerifyKey(key).verify(message.encode(), decode_segment(signature))
    except BadSignatureError:
        return False
    return True


def _parameter(call: Call, name: str) -> str:
    header = call.headers.get(f"x-vault-inline-auth-parameter-{name}", "")
    document: dict[str, str] = json.loads(decode_segment(header))
    assert document["key"] == name
    return document["value"]


def _ok(**members: Any) -> Result:
    request_id = "02ca2c93-36a0-7420-3e6a-af5aaf668f5f"
    document = {"request_id": request_id, "lease_id": "", "data": None, **members}
    body = json.dumps(document, separators=(",", ":")).encode() + b"\n"
    return Result(200, body, {"content-type": "application/json"})
