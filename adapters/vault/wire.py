"""The HTTP API: its paths, one call, and the answer, which is read once and shown to no log.

Raw "." and ".." and doubled slashes are answered by a redirect that may lead into another mount,
"%2F" is a slash, and a slash at the end of a key is an error 500 (measured); `addressing` lets none
of them through, and here every segment is percent-encoded but for unreserved characters.
"""

from __future__ import annotations

from dataclasses import field
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from adapters.upstream.json_members import member_of
from adapters.upstream.message import UpstreamResponse
from domain.model.opaque import opaque
from domain.model.strict_json import MalformedJsonError, NumberText, parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.vault.api import KvVersion


RENEW_SELF = "/v1/auth/token/renew-self"
WRAPPING_LOOKUP = "/v1/sys/wrapping/lookup"
UNWRAP = "/v1/sys/wrapping/unwrap"

OK, REDIRECT = 200, 307
BAD_REQUEST, FORBIDDEN, NOT_FOUND, PRECONDITION, TOO_MANY = 400, 403, 404, 412, 429
SERVER_ERROR, UNAVAILABLE = 500, 503

INLINE_FAILED_HEADER = "x-vault-inline-auth-failed"

_SERVED = frozenset({"request_id", "data"})

NAMESPACE_HEADER = "X-Vault-Namespace"
TOKEN_HEADER = "X-Vault-Token"  # noqa: S105  a header's name
REQUEST_HEADER = "X-Vault-Request"
"""An agent or proxy on the way may insist on it, since no browser can be made to send it."""


@lru_cache(maxsize=4096)
def secret_path(mount: str, kv_version: KvVersion, path: str) -> str:
    """Return where a secret is read.

    Args:
        mount: the key-value engine's path, in plain form.
        path: the secret's canonical path, "/" first.
    """
    below = "data/" if kv_version == 2 else ""  # noqa: PLR2004  the second version has this part
    return f"/v1/{_encoded(mount)}/{below}{_encoded(path.removeprefix('/'))}"


def mount_path(mount: str) -> str:
    """Return where every token with a right in an engine can read its kind and version."""
    return f"/v1/sys/internal/ui/mounts/{_encoded(mount)}"


def login_path(mount: str) -> str:
    """Return where an auth method logs in."""
    return f"/v1/{inline_login_path(mount)}"


def inline_login_path(mount: str) -> str:
    """Return the same as the header of an inline authentication has it: without "/v1/"."""
    return f"auth/{_encoded(mount)}/login"


def _encoded(path: str) -> str:
    return "/".join(quote(segment, safe="") for segment in path.split("/"))


@opaque
class Answer:
    """One answer.

    Attributes:
        document: the parsed body, numbers in the digits they came with; None when it is no
            acceptable JSON.
        is_empty: whether there was no body at all.
        inline_failed: whether the login that the call carried was refused, so that the status
            speaks of the login.
        location: where a redirect points.
    """

    status: int
    document: object
    is_empty: bool = False
    inline_failed: bool = False
    location: str | None = None

    @classmethod
    def of(cls, response: UpstreamResponse) -> Answer:
        """Read a response."""
        document: object = None
        try:
            document = parse_json(response.body, numbers_as_text=True) if response.body else None
        except MalformedJsonError:
            document = None
        headers = response.headers
        return cls(
            status=response.status,
            document=document,
            is_empty=not response.body,
            inline_failed=headers.get(INLINE_FAILED_HEADER, "").strip().lower() == "true",
            location=headers.get("location"),
        )

    def member(self, *path: str) -> object:
        """Return a member of the body, or what stands at a path below it; None without one."""
        return member_of(self.document, *path)

    def _all(self, name: str) -> str:
        found = self.member(name)
        texts = found if isinstance(found, list) else []
        return "\n".join(text for text in texts if isinstance(text, str))

    @property
    def texts(self) -> str:
        """What the errors say, in one text; a hint only, never to be logged or passed on.

        Errors carry no code, their words differ between servers, and some hold what was asked for.
        """
        return self._all("errors")

    @property
    def warnings(self) -> str:
        """What the warnings say, in one text; as `texts`."""
        return self._all("warnings")

    @property
    def is_api(self) -> bool:
        """Whether the API speaks, not a proxy or another server.

        Its successes have both members; gateways give their refusals an id alone.
        """
        return isinstance(self.document, dict) and (
            _are_texts(self.member("errors")) or self.document.keys() >= _SERVED
        )

    @property
    def request_id(self) -> str | None:
        """The server's id for the call, which its audit log has as well."""
        return UpstreamResponse.safe_id(self.member("request_id"))

    def log_fields(self) -> dict[str, str | int | None]:
        """Return what is harmless to log."""
        return {"status": self.status, "upstream_request_id": self.request_id}


def _are_texts(errors: object) -> bool:
    # Gateways that speak GraphQL or JSON:API list objects by that name.
    return isinstance(errors, list) and all(isinstance(text, str) for text in errors)


def whole_number(value: object) -> int | None:
    """Return a number of a body as an int, None if it is none or no whole one."""
    if not isinstance(value, NumberText):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def namespace_header(namespace: str) -> Mapping[str, str]:
    """Return the header for a namespace; none for the root."""
    return {NAMESPACE_HEADER: namespace} if namespace else {}


def token_header(token: str) -> Mapping[str, str]:
    """Return the header that a call with this token has; none without a token."""
    return {TOKEN_HEADER: token} if token else {}


@opaque
class Call:
    """A request to be made.

    Attributes:
        method: "GET" or "POST".
        path: percent-encoded, from "/v1/" on.
        headers: beside those of every call; they may hold a token.
        version: the version of a secret that is asked for.
        body: members of the JSON body; they may hold credentials.
        is_login: whether it goes over the connection kept for logins, unlimited by the bulkhead.
        repeatable: whether sending it twice does no more than once.
        tenant: whose calls must not take all connections, such as a folder.
        mount: the secrets engine that is read, by namespace: a quota's pause holds for it.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None
    body: Mapping[str, str] | None = None
    is_login: bool = False
    repeatable: bool = True
    tenant: str = ""
    mount: str = ""


def login_call(
    path: str,
    namespace: str,
    body: Mapping[str, str] | None = None,
    *,
    token: str = "",
    repeatable: bool = True,
) -> Call:
    """Return a call over the connection kept for logins."""
    headers = {**namespace_header(namespace), **token_header(token)}
    return Call("POST", path, headers=headers, body=body, is_login=True, repeatable=repeatable)


class Calls(Protocol):
    """Makes calls, with the transport's retries and the limits of admission."""

    async def call(self, call: Call, deadline: float) -> Answer:
        """Make a call and return the answer, whatever its status. `deadline`: monotonic seconds.

        Raises:
            StoreUnavailable: there is no answer to be had by the deadline.
            RateLimited: the server has asked for a pause that outlasts the deadline.
        """
