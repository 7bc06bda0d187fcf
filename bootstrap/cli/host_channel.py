"""A channel for commands that ask as a wasmCloud host does, which NATS may not let them."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.nats.channel import NatsChannel
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import SecretsSubjects
from bootstrap.cli.nats_session import open_nats
from bootstrap.cli.reporting import NotPermittedError
from bootstrap.settings import load_settings
from bootstrap.settings.choices import ChoiceSettings
from ports.transport import Channel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Protocol

    from domain.model.transport import Reply

    class Denials(Protocol):
        """As `adapters.nats.client.ResilientClient` has it."""

        @property
        def denied(self) -> str | None: ...


_LOOK_SECONDS = 0.05

_VIOLATION = re.compile(r"""(?i)violation for (publish|subscription) to ["']([^"']+)["']""")


class HostChannel(Channel):
    """Asks through another channel, and gives up as soon as the server denies a subject.

    The server says so without naming the request, which would otherwise wait for its whole time.
    """

    def __init__(self, channel: Channel, client: Denials) -> None:
        self._channel = channel
        self._client = client

    @override
    async def request(
        self, operation: str, body: bytes, host_xkey: str | None, timeout_seconds: float
    ) -> Reply:
        """Send and wait.

        Raises:
            ChannelError: no reply came.
            NotPermittedError: this NATS user may not ask, or not hear the reply.
        """
        asked = asyncio.ensure_future(
            self._channel.request(operation, body, host_xkey, timeout_seconds)
        )
        try:
            while not asked.done():
                await asyncio.wait({asked}, timeout=_LOOK_SECONDS)
                if self._client.denied is not None:
                    raise not_permitted(self._client.denied)
            return asked.result()
        finally:
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)


def not_permitted(denial: str) -> NotPermittedError:
    """Return what to do about a server's "permissions violation"."""
    found = _VIOLATION.search(denial)
    what = "may not do what this command must"
    if found is not None:
        verb = "publish" if found[1].lower() == "publish" else "subscribe"
        what = f"has no permission to {verb} to {found[2]}"
    return NotPermittedError(
        f"This NATS user {what}. This command asks as a wasmCloud host does: log in as a host, by "
        "NATS_USER and NATS_PASSWORD or as docs/operations.md lists; neither the backend's user "
        "nor the operator's may ask, see docs/nats-accounts.md."
    )


@asynccontextmanager
async def host_channel() -> AsyncIterator[Channel]:
    """Connect for the length of a command; only the NATS settings are read.

    Raises:
        SettingsError: the settings do not allow it.
        NatsConnectError: no NATS server does.
    """
    settings, backend = load_settings(NatsSettings), load_settings(ChoiceSettings).backend
    subjects = SecretsSubjects(settings.subject_prefix, settings.api_version, backend)
    async with open_nats() as client:
        yield HostChannel(NatsChannel(client, subjects), client)
