"""How servers of one generation answer, where generations differ.

2024 is measured: its texts are those of the recordings. The others are read in the server's code of
2025 and 2026, and GO in the rewrite that is to come (github.com/Infisical/infisical,
`backend-go/internal/server/api/secretmanager/secret/get_secret_by_name.go` at 033cae1fe3c9 and
`backend-go/internal/services/secretmanager/secret/get_secret_by_name.go` at 29aae83119e9); none of
these was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

DAY: Final = 86400
LONGEST_TOKEN_SECONDS: Final = 90 * DAY
"""MAX_MACHINE_IDENTITY_TOKEN_AGE, since May 2026 (`identity-access-token-fns.ts`, b660a86d15eb)."""


@dataclass(frozen=True, slots=True)
class Text:
    """One refusal: status, `error` and `message`; `{name}` and the like are filled in."""

    status: int
    label: str
    message: str


@dataclass(frozen=True, slots=True)
class Generation:
    """What a generation of servers does.

    Attributes:
        has_v4: whether the newer routes exist.
        honours_version: False serves the latest version, whichever is asked for.
        keeps_metadata_of_versions: False leaves the metadata out of every answer to a version.
        locks: whether refused logins lock an identity.
        caps_tokens: whether no token lives longer than 90 days; one without an end until then.
        deletion_ends_tokens: whether deleting a client secret ends the tokens made with it.
        has_request_ids: whether errors have `reqId`.
        unknown_client, dead_token, no_project, no_environment, no_folder, no_secret: its words.
    """

    name: str
    has_v4: bool
    honours_version: bool
    keeps_metadata_of_versions: bool
    locks: bool
    caps_tokens: bool
    deletion_ends_tokens: bool
    has_request_ids: bool
    unknown_client: Text
    dead_token: Text
    no_project: Text
    no_environment: Text
    no_folder: Text
    no_secret: Text

    def lifetime(self, configured: Any) -> Any:
        """Return the `expiresIn` of an identity whose token lifetime is configured so."""
        if not self.caps_tokens or not isinstance(configured, int):
            return configured
        return min(configured or LONGEST_TOKEN_SECONDS, LONGEST_TOKEN_SECONDS)


_OLD_FOLDER: Final = Text(
    404, "Create secret", "Folder not found for the given environment slug & secret path"
)
_NEW_FOLDER: Final = Text(
    404,
    "GetSecretByName",
    "Folder with path '{folder}' in environment with slug '{environment}' not found",
)
_BAD_CREDENTIALS: Final = Text(401, "UnauthorizedError", "Invalid credentials")

OF_2024: Final = Generation(
    name="2024",
    has_v4=False,
    honours_version=False,
    keeps_metadata_of_versions=True,
    locks=False,
    caps_tokens=False,
    deletion_ends_tokens=False,
    has_request_ids=False,
    unknown_client=Text(404, "NotFound", "No identity with specified client ID was found"),
    dead_token=Text(401, "UnauthorizedError", "No identity access token found"),
    no_project=Text(404, "NotFound", "Project not found during bot lookup. Are you sure ..."),
    no_environment=_OLD_FOLDER,
    no_folder=_OLD_FOLDER,
    no_secret=Text(404, "NotFound", "Secret not found"),
)
EARLY_2026: Final = Generation(
    name="early 2026",
    has_v4=True,
    honours_version=True,
    keeps_metadata_of_versions=False,
    locks=True,
    caps_tokens=False,
    deletion_ends_tokens=False,
    has_request_ids=True,
    unknown_client=_BAD_CREDENTIALS,
    dead_token=Text(403, "TokenError", "Your token has expired. Please re-authenticate."),
    no_project=Text(404, "NotFound", "Project with ID '{project}' not found during bot lookup."),
    no_environment=_NEW_FOLDER,
    no_folder=_NEW_FOLDER,
    no_secret=Text(404, "NotFound", "Secret with name '{name}' not found"),
)
LATE_2026: Final = Generation(
    name="late 2026",
    has_v4=True,
    honours_version=True,
    keeps_metadata_of_versions=False,
    locks=True,
    caps_tokens=True,
    deletion_ends_tokens=True,
    has_request_ids=True,
    unknown_client=_BAD_CREDENTIALS,
    dead_token=Text(
        401, "UnauthorizedError", "Failed to authorize: identity tokens have been revoked"
    ),
    no_project=Text(404, "NotFound", "Project with {project} not found"),
    no_environment=_NEW_FOLDER,
    no_folder=_NEW_FOLDER,
    no_secret=Text(404, "NotFound", "Secret with name '{name}' not found"),
)
GO: Final = Generation(
    name="go",
    has_v4=True,
    honours_version=False,
    keeps_metadata_of_versions=True,
    locks=True,
    caps_tokens=True,
    deletion_ends_tokens=True,
    has_request_ids=True,
    unknown_client=_BAD_CREDENTIALS,
    dead_token=Text(401, "UnauthorizedError", "Invalid JWT token"),
    no_project=Text(404, "NotFound", "Project with ID {project} not found"),
    no_environment=Text(404, "NotFound", "Environment not found"),
    no_folder=Text(404, "NotFound", "Folder not found"),
    no_secret=Text(404, "NotFound", "Secret not found"),
)

GENERATIONS: Final = (OF_2024, EARLY_2026, LATE_2026)
"""Those that are in service."""

ALL: Final = (*GENERATIONS, GO)
