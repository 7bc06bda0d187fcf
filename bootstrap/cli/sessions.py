"""NATS for a command, loaded only once a command needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from adapters.nats.client import ResilientClient


def session() -> Callable[[], AbstractAsyncContextManager[ResilientClient]]:
    """Return `open_nats`, which reads the settings, connects, and closes again at the end."""
    from bootstrap.cli.nats_session import open_nats  # noqa: PLC0415  see above

    return open_nats
