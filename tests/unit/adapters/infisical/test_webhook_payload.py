"""What each of Infisical's events means here."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.infisical.webhook import OtherEvent, read_webhook
from adapters.infisical.webhook_signature import SignedBodyMalformedError
from domain.model.selection import Selection
from tests.unit.adapters.infisical.infisical_webhooks import body

PAYMENTS = Selection(folder="/payments", scope=(("environment", "prod"), ("project_id", "p-1")))


def read(event: str = "secrets.modified", **project: Any) -> Selection | OtherEvent:
    return read_webhook(json.loads(body(event, **project)))


def test_a_modified_secret_selects_the_folder_in_its_environment_and_project() -> None:
    assert read() == PAYMENTS


@pytest.mark.parametrize(
    ("path", "folder"),
    [("/", "/"), ("/a/b", "/a/b"), ("/a/", "/a"), ("/p\u00e4y \u2713", "/p\u00e4y \u2713")],
)
def test_the_folder_is_in_plain_form(path: str, folder: str) -> None:
    notice = read(secretPath=path)

    assert isinstance(notice, Selection)
    assert notice.folder == folder


@pytest.mark.parametrize("project", [{"projectId": None}, {"workspaceId": None}])
def test_either_spelling_of_the_project_will_do(project: dict[str, Any]) -> None:
    assert read(**project) == PAYMENTS


@pytest.mark.parametrize(
    "project",
    [
        {"projectId": "p-2"},
        {"projectId": None, "workspaceId": None},
        {"projectId": 1},
        {"environment": None},
        {"environment": ""},
        {"environment": "x" * 129},
        {"environment": "a\x1bb"},
        {"environment": ["prod"]},
        {"secretPath": None},
        {"secretPath": ""},
        {"secretPath": "payments"},
        {"secretPath": "/a/../b"},
        {"secretPath": "//"},
        {"secretPath": "/*"},
        {"secretPath": "/a\0"},
        {"secretPath": "/" + "a" * 2000},
    ],
)
def test_a_change_without_a_plain_place_is_refused(project: dict[str, Any]) -> None:
    with pytest.raises(SignedBodyMalformedError):
        read(**project)


@pytest.mark.parametrize(
    "document", [{}, {"event": 1}, {"event": "secrets.modified"}, {"event": "test", "project": []}]
)
def test_a_document_of_another_shape_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(SignedBodyMalformedError):
        read_webhook(document)


@pytest.mark.parametrize(
    ("event", "meaning"),
    [
        ("test", OtherEvent.TEST),
        ("secrets.rotation-failed", OtherEvent.ROTATION_FAILED),
        ("secrets.reminder-expired", OtherEvent.UNKNOWN),
        ("honey-token.triggered", OtherEvent.UNKNOWN),
        ("", OtherEvent.UNKNOWN),
    ],
)
def test_events_that_change_no_value_are_told_apart(event: str, meaning: OtherEvent) -> None:
    assert read(event, secretPath=None) is meaning
