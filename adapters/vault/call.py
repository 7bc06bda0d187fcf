"""One call of the HTTP API, and what makes calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.vault.answer import Answer

NAMESPACE_HEADER = "X-Vault-Namespace"
TOKEN_HEADER = "X-Vault-Token"  # noqa: S105  a header's name
REQUEST_HEADER = "X-Vault-Request"
"""An agent or proxy on the way may insist on it, since no browser can be made to send it."""


def namespace_header(namespace: str) -> Mapping[str, str]:
    """Return the header for a namespace; none for the root."""
    return {NAMESPACE_HEADER: namespace} if namespace else {}


def token_header(token: str) -> Mapping[str, str]:
    """Return the header that a call with this token has; none without a token."""
    return {TOKEN_HEADER: token} if token else {}


@dataclass(frozen=True, slots=True)
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
        key: what is read, for admission.
        mount: the secrets engine that is read, by namespace: a quota's pause holds for it.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    version: str | None = None
    body: Mapping[str, str] | None = field(default=None, repr=False)
    is_login: bool = False
    repeatable: bool = True
    tenant: str = ""
    key: str = ""
    mount: str = ""


class Calls(Protocol):
    """Makes calls, with the transport's retries and the limits of admission."""

    async def call(self, call: Call, deadline: float) -> Answer:
        """Make a call and return the answer, whatever its status.

        Args:
            deadline: monotonic seconds.

        Raises:
            StoreUnavailable: there is no answer to be had by the deadline.
            RateLimited: the server has asked for a pause that outlasts the deadline.
        """
