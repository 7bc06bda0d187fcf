"""Where one secret is read: the server's routes, and the path on one of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from domain.model.reference import SecretLocation


@dataclass(frozen=True, slots=True)
class Route:
    """One version of the API, as far as single reads go."""

    version: str
    path: str
    project_parameter: str


V4 = Route("v4", "v4/secrets", "projectId")
V3 = Route("v3", "v3/secrets/raw", "workspaceId")


# The same few secrets are read again and again.
@lru_cache(maxsize=1024)
def read_path(route: Route, location: SecretLocation, version: str | None) -> str:
    """Return path and query below the API's root; the version is None for the latest."""
    folder, _, name = location.path.rpartition("/")
    # Dots too, so that nothing on the way can take a name for a step between folders.
    encoded_name = quote(name, safe="").replace(".", "%2E")
    scope = dict(location.scope)
    # The latest of an import would answer for a version that is missing.
    imports = "true" if version is None else "false"
    # Every flag is sent: the defaults differ between versions. None may be sent twice.
    parameters = {
        route.project_parameter: scope["project_id"],
        "environment": scope["environment"],
        "secretPath": folder or "/",
        "type": "shared",
        "viewSecretValue": "true",
        "expandSecretReferences": "true",
        "include_imports": imports,
        "includeImports": imports,
    }
    if version is not None:
        parameters["version"] = version
    return f"/{route.path}/{encoded_name}?{urlencode(parameters, quote_via=quote)}"
