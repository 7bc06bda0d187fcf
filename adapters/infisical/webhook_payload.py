"""What Infisical's webhooks say, of the type General."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.infisical.webhook_signature import SignedBodyMalformedError
from domain.model.errors import InvalidRequest
from domain.model.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Mapping

MODIFIED = "secrets.modified"


class OtherEvent(StrEnum):
    """Events that change no value, so that nothing is to be forgotten."""

    TEST = "test"
    ROTATION_FAILED = "secrets.rotation-failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ChangeNotice:
    """Something in a folder has changed; Infisical does not say which secret.

    Attributes:
        environment: its slug.
        folder: "/" or such as "/payments".
    """

    environment: str
    project_id: str
    folder: str

    @property
    def selection(self) -> Selection:
        """The values it makes doubtful: in that folder and below."""
        return Selection.below(
            self.folder, (("environment", self.environment), ("project_id", self.project_id))
        )


class _Payload(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)


class _Project(_Payload):
    environment: str | None = None
    projectId: str | None = None  # noqa: N815  Infisical's spelling
    workspaceId: str | None = None  # noqa: N815  Infisical's spelling
    secretPath: str | None = None  # noqa: N815  Infisical's spelling


class _Webhook(_Payload):
    event: str
    project: _Project | None = None


def read_webhook(document: Mapping[str, object]) -> ChangeNotice | OtherEvent:
    """Read a verified body; members that mean nothing here are ignored.

    Raises:
        SignedBodyMalformedError: it names no event, or a change without a place.
    """
    try:
        webhook = _Webhook.model_validate(document)
        if webhook.event != MODIFIED:
            return _other(webhook.event)
        notice = _notice(webhook.project or _Project())
    except (ValidationError, InvalidRequest):
        notice = None
    if notice is None:
        raise SignedBodyMalformedError
    return notice


def _other(event: str) -> OtherEvent:
    try:
        return OtherEvent(event)
    except ValueError:
        return OtherEvent.UNKNOWN


def _notice(project: _Project) -> ChangeNotice | None:
    ids = {project.projectId, project.workspaceId} - {None}
    # Two ids would be two projects: older servers send the first alone, newer ones both, equal.
    if len(ids) != 1 or project.environment is None or project.secretPath is None:
        return None
    notice = ChangeNotice(project.environment, str(ids.pop()), project.secretPath)
    return ChangeNotice(notice.environment, notice.project_id, notice.selection.folder)
