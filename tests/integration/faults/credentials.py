"""What becomes of credentials, and how the service meets it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from adapters.system.clock import SystemClock
from tests.integration.faults.load import PATIENCE_SECONDS
from tests.support.infisical_lockout import LoginLockout

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.infisical_server import InfisicalServer

clock = SystemClock()


def revoke_client_secret(server: InfisicalServer) -> LoginLockout:
    """Refuse the client secret and every token, on a server that locks out as newer ones do."""
    server.model.lockout = LoginLockout(clock.monotonic)
    server.model.client_secrets.clear()
    server.model.valid_tokens.clear()
    return server.model.lockout


async def until_logins(server: InfisicalServer, count: int) -> None:
    """Wait until so many logins were asked for in all."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(server.model.logins) < count:  # noqa: ASYNC110  a model has no event
            await asyncio.sleep(0.01)


async def until_next_login(server: InfisicalServer) -> None:
    """Wait until another login was asked for."""
    await until_logins(server, len(server.model.logins) + 1)


def replace_file(path: Path, content: str) -> None:
    """Put a new file in its place, as agents and the kubelet do."""
    new = path.with_suffix(".new")
    new.write_text(content)
    new.replace(path)
