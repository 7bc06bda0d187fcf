"""Calls to the API server: with the token of the moment, and once more with the next one."""

from __future__ import annotations

from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Final

from adapters.kubernetes.answer import (
    BAD_REQUEST,
    OK,
    SERVER_ERRORS,
    TOO_MANY_REQUESTS,
    UNAUTHORIZED,
    UNAVAILABLE,
    Answer,
)
from adapters.kubernetes.watch_events import METADATA, error_for_status
from adapters.upstream.engine import Failure, TransportError
from domain.model.errors import RateLimited, SecretsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from adapters.kubernetes.credentials import TokenSource
    from adapters.upstream.engine import Slot
    from adapters.upstream.http import UpstreamHttp
    from adapters.upstream.message import UpstreamResponse
    from adapters.upstream.streams import HttpStreams
    from ports.clock import Clock


JSON: Final = "application/json"

LIST_SECONDS: Final = 10.0
PROBE_SECONDS: Final = 3.0
VERSION_PATH: Final = "/version"
MAX_REFUSAL_BYTES: Final = 64 * 1024

_NO_QUERY: Final[Mapping[str, str]] = {}


def is_api_answer(response: UpstreamResponse) -> bool:
    """Say whether an API server wrote a response below 500: objects that name their kind.

    `/version` alone has none, but names the build. Their type may be called something else than
    JSON, and they may be too large to parse twice.
    """
    if response.status < BAD_REQUEST:
        body = response.body
        is_object = body.lstrip()[:1] == b"{" and (b'"kind"' in body or b'"gitVersion"' in body)
        return response.status < 300 and is_object  # noqa: PLR2004
    if response.status == TOO_MANY_REQUESTS:
        return True
    return Answer.read(response.status, {}, response.body).is_status


def _no_certificates(*, at_once: bool = False) -> None:
    """Nothing is to be read where none are shown or trusted apart."""


class KubernetesApi:
    """Sends calls with the service's credentials; safe for concurrent use.

    Paths and query are made of checked names only, and redirects are never followed.

    Attributes:
        http: for calls that end.
        on_gone: called when a connection breaks or is refused, or the server says that it stops.
    """

    def __init__(
        self,
        http: UpstreamHttp,
        streams: HttpStreams,
        tokens: TokenSource,
        clock: Clock,
        read_certificates: Callable[..., None] = _no_certificates,
    ) -> None:
        """Put the parts together.

        Args:
            streams: for watches, which hold a connection each.
            tokens: what calls authenticate with, unless the connection shows a certificate.
            read_certificates: as `Certificates.read_again`.
        """
        self.http = http
        self.on_gone: Callable[[], None] = lambda: None
        self._streams = streams
        self._tokens = tokens
        self._clock = clock
        self._read_certificates = read_certificates
        http.on_outcome = self._notice

    async def send(
        self,
        method: str,
        path: str,
        *,
        deadline: float,
        query: Mapping[str, str] = _NO_QUERY,
        json: object = None,
        accept: str = JSON,
        user: str | None = None,
        slot: Slot = nullcontext,
        judged: bool = True,
    ) -> Answer:
        """Return the answer of the API server, whatever its status.

        A refusal of the credentials has them read again, and the call is sent once more.

        Args:
            method: "GET" or "POST"; nothing that is posted here changes anything.
            path: from "/" on.
            deadline: monotonic seconds.
            query: is percent-encoded.
            user: whom to impersonate; None for the service's own rights.
            judged: False for a call that is sent once, and whose answer may be no JSON.

        Raises:
            StoreUnavailable, RateLimited, UpstreamError: there is no answer, or not its own.
        """
        for may_repeat in (True, False):
            response = await self.http.request(
                method,
                path,
                deadline=deadline,
                headers=await self._headers(accept, user),
                query=query,
                json=json,
                retry=judged,
                slot=slot,
                judged=judged,
            )
            is_refused = response.status == UNAUTHORIZED
            if not (may_repeat and is_refused and self._tokens.refused()):
                break
        return Answer.read(response.status, response.headers, response.body)

    async def list(self, path: str, query: Mapping[str, str], *, accept: str) -> Answer:
        """Return the answer to a GET of a collection; raises as `send`."""
        deadline = self._clock.monotonic() + LIST_SECONDS
        return await self.send("GET", path, deadline=deadline, query=query, accept=accept)

    async def is_there(self) -> bool:
        """Send one small call, once, and say whether the API server answered."""
        deadline = self._clock.monotonic() + PROBE_SECONDS
        try:
            answer = await self.send("GET", VERSION_PATH, deadline=deadline, judged=False)
        except RateLimited:
            return True
        except SecretsError:
            return False
        return answer.status < SERVER_ERRORS

    @asynccontextmanager
    async def watch(
        self, path: str, query: Mapping[str, str], *, idle_seconds: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a watch, and give the pieces of its body, which ends only with its proper end.

        Raises:
            SecretsError: no connection, none in time, or one that breaks or falls silent.
            WatchError: the server refuses the watch.
        """
        headers = await self._headers(METADATA, None)
        async with self._streams.open(path, headers=headers, query=query) as response:
            if response.status == OK:
                yield response.chunks(idle_seconds)
                return
            if response.status == UNAUTHORIZED:
                self._tokens.refused()
            body = await response.read(MAX_REFUSAL_BYTES, idle_seconds)
            answer = Answer.read(response.status, response.headers, body)
            raise error_for_status(answer.status, answer.reason, answer.retry_after)

    def reload(self) -> None:
        """Read certificates and the token again, and open new connections from now on."""
        self._read_certificates(at_once=True)
        self._tokens.refused()
        self.http.drop_idle()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._streams.aclose()
        await self.http.aclose()

    def _notice(self, outcome: UpstreamResponse | TransportError) -> None:
        if isinstance(outcome, TransportError):
            if outcome.failure is Failure.UNREACHABLE:
                self.on_gone()
            elif outcome.failure in {Failure.UNTRUSTED, Failure.REFUSED}:
                self._read_certificates()
        elif outcome.status == UNAVAILABLE:
            self.on_gone()

    async def _headers(self, accept: str, user: str | None) -> dict[str, str]:
        token = await self._tokens.current()
        headers = {"Accept": accept}
        if token is not None:
            headers["Authorization"] = f"Bearer {token.get_secret_value()}"
        if user is not None:
            headers["Impersonate-User"] = user
        return headers
