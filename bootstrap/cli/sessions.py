"""NATS for a command, loaded only once a command needs it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from adapters.nats.client import ResilientClient


class OpenNats(Protocol):
    """Reads the settings, connects, and closes again at the end of the context.

    Raises SettingsError or NatsConnectError, each with a text for the person at the terminal.
    """

    def __call__(self) -> AbstractAsyncContextManager[ResilientClient]: ...


def session() -> OpenNats:
    """Return `bootstrap.cli.nats_session.open_nats`, imported only once a command needs it."""
    return cast("OpenNats", importlib.import_module("bootstrap.cli.nats_session").open_nats)
