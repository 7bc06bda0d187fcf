"""What Infisical's responses say, and whether a response is Infisical's at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from adapters.upstream.message import UpstreamResponse

OK, BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, NOT_ALLOWED = 200, 400, 401, 403, 404, 405
SERVER_ERRORS: Final = 500

_REDIRECTS = range(300, 400)
_SAFE_LABEL = re.compile(r"[A-Za-z ]{1,64}")


def label(response: UpstreamResponse) -> str:
    """Return the body's `error`: free text, a class name or the name of a query; "" if none."""
    return response.text("error")


def message(response: UpstreamResponse) -> str:
    """Return the body's `message`, "" if it is no text. It may hold names: never pass it on."""
    return response.text("message")


def request_id(response: UpstreamResponse) -> str | None:
    """Return the server's id for the call: newer servers give it with errors."""
    return response.safe_id(response.member("reqId")) or response.safe_id(
        response.headers.get("x-request-id")
    )


def log_fields(response: UpstreamResponse) -> dict[str, str | int | None]:
    """Return what is harmless to log."""
    text = label(response)
    return {
        "status": response.status,
        "error_label": text if _SAFE_LABEL.fullmatch(text) else None,
        "upstream_request_id": request_id(response),
    }


def is_api_answer(response: UpstreamResponse) -> bool:
    """Say whether Infisical gave this response below 500, and not what stands at its address.

    Infisical's API answers in JSON and never redirects; a 404 or 405 of its own has both members.
    """
    if response.status in _REDIRECTS or not response.is_json:
        return False
    if response.status in {NOT_FOUND, NOT_ALLOWED}:
        return bool(label(response) and message(response))
    return True


def has_route(response: UpstreamResponse) -> bool:
    """Say whether the response comes from Infisical, which knows the route."""
    return not lacks_route(response)


def lacks_route(response: UpstreamResponse) -> bool:
    """Say whether the response comes from something that does not know the route.

    That is Infisical's router, which quotes the route, or something that is not Infisical.
    """
    if response.status >= SERVER_ERRORS:
        return False
    if not is_api_answer(response):
        return True
    return (
        response.status in {NOT_FOUND, NOT_ALLOWED}
        and label(response) == "Not Found"
        and message(response).startswith("Route ")
    )
