"""An opened request shows nothing of itself when it is printed."""

from __future__ import annotations

from domain.model.audit import ServerKey
from domain.model.identity import PublicXKey
from domain.use_cases.open_request import OpenedRequest


def test_an_opened_request_shows_no_plaintext() -> None:
    opened = OpenedRequest(b"token canary", PublicXKey("XHOST"), ServerKey.CURRENT)

    for shown in (repr(opened), str(opened), f"{opened}", f"{[opened]}"):
        assert "canary" not in shown
        assert "XHOST" in shown
