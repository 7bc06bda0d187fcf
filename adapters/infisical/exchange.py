"""One HTTP call to Infisical: bounded, without redirects, with nothing left behind in errors."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING

import httpx

from adapters.infisical import reasons
from domain.model.strict_json import MalformedJsonError, parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.infisical.config import InfisicalConfig

MAX_ANSWER_BYTES = 2 * 1024 * 1024
"""Above what Infisical can hold: it refuses to store values over about 1 MiB."""

IDLE_CONNECTION_SECONDS = 30.0
"""Below the server's idle timeout of 72 s and the 60 s of common load balancers."""

MAX_CAUSES = 10
"""How deep to look for an error's cause: such chains can bite their own tail."""

_NEVER_SENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"})
_SAFE_LABEL = re.compile(r"[A-Za-z ]{1,64}")
_SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class ExchangeFailedError(Exception):
    """There is no answer. Keeps nothing of the request, which holds credentials.

    Attributes:
        reason: a constant of `reasons`.
        kind: the failure's technical name, for the log.
    """

    def __init__(self, reason: str, kind: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind

    @property
    def never_sent(self) -> bool:
        """Whether the request surely did not reach the server, which so cannot have counted it."""
        return self.kind in _NEVER_SENT


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said.

    Attributes:
        status: the HTTP status.
        headers: names in lower case.
        is_json: whether the answer calls itself JSON; whatever stands before the API does not.
        document: the parsed body; None when it is no acceptable JSON.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    is_json: bool
    document: object = field(repr=False)

    def member(self, name: str) -> object:
        """Return a member of the body, or None."""
        return self.document.get(name) if isinstance(self.document, dict) else None

    @property
    def label(self) -> str:
        """The body's `error`: free text, now a class name, now the name of a query; "" if none."""
        label = self.member("error")
        return label if isinstance(label, str) else ""

    @property
    def message(self) -> str:
        """The body's `message`, "" if it is no text. It may hold names: never log or pass it on."""
        message = self.member("message")
        return message if isinstance(message, str) else ""

    @property
    def request_id(self) -> str | None:
        """The server's id for the call: newer ones give it with errors."""
        for candidate in (self.member("reqId"), self.headers.get("x-request-id")):
            if isinstance(candidate, str) and _SAFE_REQUEST_ID.fullmatch(candidate):
                return candidate
        return None

    def log_fields(self) -> dict[str, str | int | None]:
        """Return what is harmless to log."""
        return {
            "status": self.status,
            "error_label": self.label if _SAFE_LABEL.fullmatch(self.label) else None,
            "upstream_request_id": self.request_id,
        }


def build_client(config: InfisicalConfig) -> httpx.AsyncClient:
    """Make the HTTP client; it reads certificate authorities from disk and opens no connection.

    Proxies and certificate settings of the environment apply. Cookies are not kept.
    """
    ca_file = None if config.ca_file is None else str(config.ca_file)
    return httpx.AsyncClient(
        verify=True if ca_file is None else ssl.create_default_context(cafile=ca_file),
        headers={
            "User-Agent": config.user_agent,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        },
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        timeout=httpx.Timeout(
            connect=config.connect_timeout_seconds,
            read=config.read_timeout_seconds,
            write=config.read_timeout_seconds,
            pool=None,
        ),
        limits=httpx.Limits(
            max_connections=config.max_connections,
            max_keepalive_connections=config.max_connections,
            keepalive_expiry=IDLE_CONNECTION_SECONDS,
        ),
        follow_redirects=False,
    )


async def exchange(http: httpx.AsyncClient, request: httpx.Request) -> Answer:
    """Send one request and read its answer whole.

    Raises:
        ExchangeFailedError: no connection, no answer in time, half an answer, one that is
            compressed, or too large a one.
    """
    try:
        response = await http.send(request, auth=None, follow_redirects=False, stream=True)
        try:
            body = await _body_of(response)
        finally:
            await response.aclose()
    except httpx.HTTPError as error:
        failure = ExchangeFailedError(_reason(error), type(error).__name__)
    except _UnusableBodyError as error:
        failure = ExchangeFailedError(error.reason, error.kind)
    else:
        return _read(response, body)
    # Raised out here: httpx's error holds the request, and that the credentials.
    raise failure


class _UnusableBodyError(Exception):
    def __init__(self, reason: str, kind: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind


async def _body_of(response: httpx.Response) -> bytes:
    # Asked for none: httpx unpacks whole pieces, and 60 kB of them can hold gigabytes.
    if response.headers.get("content-encoding", "identity").strip().lower() not in {"identity", ""}:
        raise _UnusableBodyError(reasons.ANSWER_UNREADABLE, "EncodedAnswer")
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise _UnusableBodyError(reasons.ANSWER_TOO_LARGE, "AnswerTooLarge")
    return bytes(body)


def _read(response: httpx.Response, body: bytes) -> Answer:
    content_type = response.headers.get("content-type", "")
    is_json = content_type.partition(";")[0].strip().lower() == "application/json"
    document: object = None
    if is_json:
        try:
            document = parse_json(body)
        except MalformedJsonError:
            document = None
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, is_json, document)


def _reason(error: httpx.HTTPError) -> str:
    cause: BaseException | None = error
    for _ in range(MAX_CAUSES):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return reasons.CERTIFICATE_UNTRUSTED
        cause = cause and (cause.__cause__ or cause.__context__)
    return reasons.TIMED_OUT if isinstance(error, httpx.TimeoutException) else reasons.UNREACHABLE
