"""Infisical's protocol: where one secret is read, and what a response says."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from adapters.upstream.message import UpstreamResponse
    from domain.model.reference import SecretLocation

OK, BAD_REQUEST, UNAUTHORIZED, FORBIDDEN = 200, 400, 401, 403
NOT_FOUND, NOT_ALLOWED, TOO_MANY = 404, 405, 429
SERVER_ERRORS: Final = 500

_REDIRECTS = range(300, 400)
_SERVED = frozenset({"secret", "accessToken"})
_REFUSED = frozenset({"error", "message"})
_SAFE_LABEL = re.compile(r"[A-Za-z ]{1,64}")


class Route(NamedTuple):
    """One version of the API, as far as single reads go."""

    version: str
    path: str
    project_parameter: str


V4 = Route("v4", "v4/secrets", "projectId")
V3 = Route("v3", "v3/secrets/raw", "workspaceId")


class Wanted(NamedTuple):
    """What is read.

    Attributes:
        location: from this store's `locate`.
        version: a whole number from 1 up; None for the latest. Some servers ignore it.
        imports: whether the latest of an import may answer where the folder has no such secret.
    """

    location: SecretLocation
    version: str | None = None
    imports: bool = True


def read_path(route: Route, wanted: Wanted) -> str:
    """Return path and query below the API's root."""
    location, version, imports = wanted
    folder, _, name = location.path.rpartition("/")
    # Dots too, so that nothing on the way can take a name for a step between folders.
    encoded_name = quote(name, safe="").replace(".", "%2E")
    query = _read_query(route.project_parameter, location.scope, folder, version, imports)
    return f"/{route.path}/{encoded_name}?{query}"


# The same few folders are read from again and again.
@lru_cache(maxsize=1024)
def _read_query(
    project_parameter: str,
    scope: tuple[tuple[str, str], ...],
    folder: str,
    version: str | None,
    imports: bool,  # noqa: FBT001  a key of the cache
) -> str:
    chosen, flag = dict(scope), "true" if imports else "false"
    # Every flag is sent: the defaults differ between versions. None may be sent twice.
    parameters = {
        project_parameter: chosen["project_id"],
        "environment": chosen["environment"],
        "secretPath": folder or "/",
        "type": "shared",
        "viewSecretValue": "true",
        "expandSecretReferences": "true",
        "include_imports": flag,
        "includeImports": flag,
    }
    if version is not None:
        parameters["version"] = version
    return urlencode(parameters, quote_via=quote)


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

    Infisical's API never redirects, and answers in JSON objects: with what was asked for, or with
    both members that each of its refusals has. Gateways answer in JSON as well, without those.
    """
    document = response.document
    if response.status in _REDIRECTS or not isinstance(document, dict):
        return False
    if response.status < BAD_REQUEST:
        return not _SERVED.isdisjoint(document)
    return response.status == TOO_MANY or document.keys() >= _REFUSED


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
