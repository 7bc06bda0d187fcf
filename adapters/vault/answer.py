"""What the server said, read once and shown to no log."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from domain.model.strict_json import MalformedJsonError, NumberText, parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

OK, NO_CONTENT, REDIRECT = 200, 204, 307
BAD_REQUEST, FORBIDDEN, NOT_FOUND, PRECONDITION, TOO_MANY = 400, 403, 404, 412, 429
SERVER_ERROR, UNAVAILABLE = 500, 503

INLINE_FAILED_HEADER = "x-vault-inline-auth-failed"

_SERVED = frozenset({"request_id", "data"})
_SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


class RawResponse(Protocol):
    """A response as the HTTP client gives it."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers, names in small letters."""

    @property
    def body(self) -> bytes:
        """Its whole body."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        status: the HTTP status.
        document: the parsed body, numbers in the digits they came with; None when it is no
            acceptable JSON.
        is_empty: whether there was no body at all.
        inline_failed: whether the login that the call carried was refused, so that the status
            speaks of the login.
        retry_after: seconds, as the header has it.
        location: where a redirect points.
    """

    status: int
    document: object = field(repr=False)
    is_empty: bool = False
    inline_failed: bool = False
    retry_after: float | None = None
    location: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, response: RawResponse) -> Answer:
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
            retry_after=_seconds(headers.get("retry-after")),
            location=headers.get("location"),
        )

    def member(self, name: str) -> object:
        """Return a member of the body, or None."""
        return self.document.get(name) if isinstance(self.document, dict) else None

    @property
    def texts(self) -> str:
        """What the errors say, in one text; a hint only, never to be logged or passed on.

        Errors carry no code, their words differ between servers, and some hold what was asked for.
        """
        errors = self.member("errors")
        if not isinstance(errors, list):
            return ""
        return "\n".join(text for text in errors if isinstance(text, str))

    @property
    def warnings(self) -> str:
        """What the warnings say, in one text; as `texts`."""
        warnings = self.member("warnings")
        if not isinstance(warnings, list):
            return ""
        return "\n".join(text for text in warnings if isinstance(text, str))

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
        found = self.member("request_id")
        return found if isinstance(found, str) and _SAFE_REQUEST_ID.fullmatch(found) else None

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


def _seconds(text: str | None) -> float | None:
    found = None if text is None else _SECONDS.fullmatch(text.strip())
    return None if found is None else float(found[0])
