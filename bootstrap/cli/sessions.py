"""NATS for a command, loaded only once a command needs it."""

import importlib
from contextlib import AbstractAsyncContextManager
from typing import Protocol, cast

from nats.aio.client import Client


class OpenNats(Protocol):
    """Reads the settings, connects, and closes again at the end of the context.

    Raises SettingsError or NatsConnectError, each with a text for the person at the terminal.
    """

    def __call__(self) -> AbstractAsyncContextManager[Client]: ...


def session() -> OpenNats:
    """Return `bootstrap.cli.nats_session.open_nats`, imported only once a command needs it."""
    return cast("OpenNats", importlib.import_module("bootstrap.cli.nats_session").open_nats)
