"""Which credentials were refused, so that none is tried twice: not by this process, by another
replica, or after a restart.

After five refused logins the server locks an AppRole role for 15 minutes, for the right secret_id
and for everything else that uses the role; tries that lie 15 minutes apart do not add up. Refusals
are remembered by fingerprint, so that nothing here gives a credential away.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Final

import structlog

from adapters.system.files import read_file, replace_file
from adapters.upstream.lockout import LockoutConfig
from ports.transport import ChannelError

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.upstream.lockout import LockoutGuard
    from ports.peer_bus import PeerBus

LOCKOUT: Final = LockoutConfig(threshold=4, reset_seconds=900.0, lock_seconds=900.0)
"""Of different credentials, one less than this may be refused within 15 minutes of each other. The
server locks at five, but other systems may use the role too."""

MAX_REMEMBERED: Final = 64
ANSWER_SECONDS: Final = 0.25
"""How long the first login waits for what other replicas know."""

TOPIC: Final = "login_refused"
"""That of every store with such a lockout: the permissions that are shipped know it."""


_ASKED: Final = "asked"
_REFUSED: Final = "refused"
_FINGERPRINT = re.compile(r"[0-9a-f]{32}", re.ASCII)
_MAX_FILE_BYTES: Final = 1024 * 1024
_log = structlog.get_logger()


class Refusals:
    """Remembers refused credentials; safe for one event loop."""

    def __init__(
        self,
        guard: LockoutGuard,
        peers: PeerBus,
        file: Path | None = None,
    ) -> None:
        """Read what the file holds, if there is one.

        Args:
            guard: counts refusals, whatever the credentials.
            peers: receive each refusal, and are asked before the first login.
            file: keeps refusals across restarts; None for memory alone.

        Raises:
            ValueError: the file is there and holds something else.
        """
        self._guard = guard
        # What was refused is known, and not tried again: other credentials need not wait.
        guard.forget()
        self._peers = peers
        self._file = file
        self._written = _read(file) if file else ()
        self._refused: dict[str, None] = dict.fromkeys(self._written)
        self._has_asked = False

    async def listen(self) -> None:
        """Hear what other processes are refused, and tell those that ask; call it once."""

        def received(payload: bytes) -> bytes | None:
            kind, fingerprint = _parse(payload)
            if kind == _ASKED:
                return _REFUSED.encode() if fingerprint in self._refused else None
            if kind == _REFUSED and fingerprint not in self._refused:
                self._guard.refused_elsewhere()
                self._remember(fingerprint)
            return None

        await self._peers.subscribe(TOPIC, received)

    async def is_refused(self, fingerprint: str) -> bool:
        """Say whether these credentials were refused before; asks the peers the first time."""
        if not self._has_asked and fingerprint not in self._refused:
            self._has_asked = True
            if await self._peers_know(fingerprint):
                self._refused[fingerprint] = None
        return fingerprint in self._refused

    @property
    def retry_at(self) -> float:
        """Monotonic seconds from which on any login may be sent at all."""
        return self._guard.retry_at

    async def refused(self, fingerprint: str) -> None:
        """Note that a login of this process was refused."""
        self._guard.refused(quick=False)
        self._remember(fingerprint)
        self._peers.broadcast(TOPIC, f"{_REFUSED} {fingerprint}".encode())
        await self._keep()

    async def accepted(self, fingerprint: str) -> None:
        """Note that a login succeeded: the server has forgotten all refusals."""
        self._guard.accepted()
        self._refused.pop(fingerprint, None)
        if tuple(self._refused) != self._written:
            await self._keep()

    def forget(self) -> None:
        """Let every credential be tried once more, as the operator asks for.

        The count of refusals stays: forgetting it could lock the role.
        """
        self._refused.clear()

    async def _peers_know(self, fingerprint: str) -> bool:
        try:
            answers = await self._peers.ask(TOPIC, f"{_ASKED} {fingerprint}".encode())
        except ChannelError:
            return False
        return _REFUSED.encode() in await answers.gather(ANSWER_SECONDS)

    def _remember(self, fingerprint: str) -> None:
        self._guard.forget()
        self._refused.pop(fingerprint, None)
        self._refused[fingerprint] = None
        while len(self._refused) > MAX_REMEMBERED:
            del self._refused[next(iter(self._refused))]

    async def _keep(self) -> None:
        self._written = tuple(self._refused)
        if self._file is None:
            return
        try:
            await asyncio.to_thread(_write, self._file, self._written)
        except OSError as error:
            _log.warning("vault.refusals_not_kept", kind=type(error).__name__)


def _parse(payload: bytes) -> tuple[str, str]:
    """Return what is said, and of which credentials; two empty texts for anything else."""
    kind, _, fingerprint = payload.decode("ascii", "replace").partition(" ")
    return (kind, fingerprint) if _FINGERPRINT.fullmatch(fingerprint) else ("", "")


def _read(file: Path) -> tuple[str, ...]:
    document: object = None
    try:
        document = json.loads(read_file(file, _MAX_FILE_BYTES).data)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError):
        document = None
    refused = document.get("refused") if isinstance(document, dict) else None
    if not isinstance(refused, list) or not all(
        isinstance(entry, str) and _FINGERPRINT.fullmatch(entry) for entry in refused
    ):
        raise ValueError("The file does not hold this backend's refused logins.")
    return tuple(refused)[-MAX_REMEMBERED:]


def _write(file: Path, refused: tuple[str, ...]) -> None:
    replace_file(file, json.dumps({"refused": refused}).encode("utf-8"))
