"""Fingerprints of credentials that take no time."""

from __future__ import annotations

import pytest

from adapters.vault import login


@pytest.fixture(autouse=True)
def cheap_fingerprints(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash in microseconds, but where a test is about the hash itself."""
    if "costly_fingerprints" not in request.fixturenames:
        monkeypatch.setattr(login, "_SCRYPT_COST", 2)


@pytest.fixture
def costly_fingerprints() -> None:
    """Hash as the service does."""
