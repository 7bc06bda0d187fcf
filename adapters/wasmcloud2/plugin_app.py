"""HTTPS requests of host component plug-ins: one secret each, by the host's client certificate.

    GET /v1/secret?namespace=shop&workload=cart&reference=secret%3A%2F%2Fcart%2Fdb

The answer's body is the value, or with another status than 200 the error and what to do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final
from urllib.parse import parse_qsl

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from adapters.wasmcloud2.filling import shown, text_outcome
from domain.model.errors import InvalidRequest, PolicyError, SecretNotFound, Unauthorized
from domain.model.messages import MAX_NAME_LENGTH
from domain.model.secret import Secret
from domain.model.secret_uri import SecretUri, parse_secret_uri
from domain.model.workload import Workload
from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.types import Receive, Scope, Send

    from domain.model.errors import RequestError
    from domain.use_cases.read_for_workload import ReadsForWorkloads
    from ports.clock import Clock


_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?"
_URI: Final = re.compile(rf"wasmcloud-host://(?P<environment>{_NAME})/(?P<host>{_NAME})", re.ASCII)
_SCHEME: Final = "wasmcloud-host:"

PATH: Final = "/v1/secret"
_PARAMETERS: Final = {"namespace", "workload", "reference"}
_STATUSES: Final[Mapping[type[RequestError], int]] = {
    SecretNotFound: 404,
    Unauthorized: 403,
    PolicyError: 403,
    InvalidRequest: 400,
}
_FAILED: Final = 502
_HEADERS: Final = {"cache-control": "no-store"}
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CertifiedHost:
    """A host whose certificate the TLS handshake has verified."""

    environment: str
    name: str


def certified_host(certificate: Mapping[str, Any] | None) -> CertifiedHost | None:
    """Return the host that a verified certificate names; None if it names none, or several.
    `certificate`: as `ssl.SSLSocket.getpeercert` returns it. The name is a URI among its subject
    alternative names: `wasmcloud-host://ENVIRONMENT/HOST`.
    """
    names = (certificate or {}).get("subjectAltName", ())
    uris = [text for kind, text in names if kind == "URI" and text.startswith(_SCHEME)]
    found = _URI.fullmatch(uris[0]) if len(uris) == 1 else None
    return None if found is None else CertifiedHost(found["environment"], found["host"])


class _RefusedError(Exception):
    """The request is answered without a read."""

    def __init__(self, status: int, reason: str, advice: str) -> None:
        super().__init__(advice)
        self.status = status
        self.reason = reason


@final
class PluginApp:
    """The ASGI application behind TLS; it answers every request.

    Args:
        timeout_seconds: for one read.
        max_in_flight: requests under way; further ones are refused at once.
    """

    def __init__(
        self, read: ReadsForWorkloads, clock: Clock, *, timeout_seconds: float, max_in_flight: int
    ) -> None:
        self._read = read
        self._clock = clock
        self._timeout = timeout_seconds
        self._max_in_flight = max_in_flight
        self._in_flight = self._refused = 0
        self.is_stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        request = Request(scope, receive)
        host = certified_host(request.state._state.get("peer_certificate"))  # noqa: SLF001  may be absent
        try:
            answer = await self._answer(request, host)
        except _RefusedError as error:
            self._refused += 1
            _log.warning(
                "plugin_endpoint.refused",
                reason=error.reason,
                environment=host and host.environment,
                host=host and host.name,
                advice=str(error),
            )
            answer = PlainTextResponse(f"{error}\n", error.status, _HEADERS)
        await answer(scope, receive, send)

    def samples(self) -> Iterable[Sample]:
        """Return its figures for metrics."""
        return (
            Sample("plugin_requests_in_flight", "Requests of plug-ins under way.", self._in_flight),
            Sample(
                "plugin_requests_refused_total",
                "Requests of plug-ins that were refused before any secret was read.",
                self._refused,
                kind="counter",
            ),
        )

    async def _answer(self, request: Request, host: CertifiedHost | None) -> PlainTextResponse:
        if host is None:
            raise _RefusedError(
                403,
                "no_host_named",
                "The client certificate names no host; issue one with the URI "
                "wasmcloud-host://ENVIRONMENT/HOST among its subject alternative names.",
            )
        workload, wanted = _asked(request, host)
        if self.is_stopping or self._in_flight >= self._max_in_flight:
            reason = "stopping" if self.is_stopping else "overloaded"
            raise _RefusedError(503, reason, "The service cannot take this now; ask again.")
        self._in_flight += 1
        try:
            read = await self._read(workload, wanted, self._clock.monotonic() + self._timeout)
        finally:
            self._in_flight -= 1
        outcome = text_outcome(read)
        if isinstance(outcome, Secret):
            return PlainTextResponse(outcome.value.reveal(), 200, _HEADERS)
        status = _STATUSES.get(type(outcome), _FAILED)
        return PlainTextResponse(f"{shown(outcome, read)}\n", status, _HEADERS)


def _asked(request: Request, host: CertifiedHost) -> tuple[Workload, SecretUri]:
    if request.url.path != PATH or request.method != "GET":
        raise _RefusedError(404, "unknown_path", f"Nothing here; GET {PATH}.")
    try:
        pairs = parse_qsl(
            request.url.query, keep_blank_values=True, strict_parsing=True, errors="strict"
        )
    except ValueError:
        pairs = []
    asked = dict(pairs)
    names = [asked.get(name, "") for name in ("namespace", "workload")]
    is_whole = len(pairs) == len(_PARAMETERS) and asked.keys() == _PARAMETERS
    if not is_whole or not all(map(_usable, names)):
        raise _RefusedError(
            400,
            "malformed_query",
            f"Give each of {', '.join(sorted(_PARAMETERS))} once, percent-encoded, the names with "
            f"1 to {MAX_NAME_LENGTH} characters that show.",
        )
    try:
        return Workload(host.environment, *names), parse_secret_uri(asked["reference"])
    except InvalidRequest as error:
        raise _RefusedError(400, error.reason, error.advice) from None


def _usable(name: str) -> bool:
    return 0 < len(name) <= MAX_NAME_LENGTH and name.isprintable()
