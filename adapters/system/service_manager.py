"""What a service manager such as systemd hears of this process: the protocol of sd_notify(3).

Each message is one datagram of `NAME=value` lines to the Unix socket that `NOTIFY_SOCKET` names.
Where that variable is unset nothing is sent.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Final, final

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from ports.clock import Clock

_VARIABLES: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
_MICROSECONDS: Final = 1_000_000
_STARTING_SECONDS: Final = 60.0

_log = structlog.get_logger()


@final
class ServiceManager:
    """Tells the service manager the state of this process, never waiting for it.

    Args:
        address: of the socket: an absolute path, or "@" and an abstract name; None sends nothing.
        watchdog_seconds: the silence after which the manager ends this process; None: it does not
            watch.
    """

    def __init__(
        self, address: str | None, clock: Clock, *, watchdog_seconds: float | None = None
    ) -> None:
        self._address = address
        self._clock = clock
        self._watchdog_seconds = None if address is None else watchdog_seconds
        self._has_failed = False

    @classmethod
    def take_from(cls, environment: MutableMapping[str, str], clock: Clock) -> ServiceManager:
        """Read the variables of sd_notify(3) and sd_watchdog_enabled(3), and remove them.

        Child processes do not inherit them: the manager hears of this process alone.
        """
        address, every, watched = (environment.pop(name, "") for name in _VARIABLES)
        if not address.startswith(("/", "@")):
            # The other families of the protocol reach managers of virtual machines.
            return cls(None, clock)
        for_this_process = watched in {"", str(os.getpid())}
        is_watched = every.isascii() and every.isdigit() and int(every) > 0 and for_this_process
        seconds = int(every) / _MICROSECONDS if is_watched else None
        return cls(address, clock, watchdog_seconds=seconds)

    def ready(self, status: str = "") -> None:
        """Say that requests are taken; also after `reloading`. `status`: one line for operators;
        empty keeps the last one.
        """
        self._send("READY=1", *([f"STATUS={status}"] if status else []))

    def status(self, text: str) -> None:
        """Show operators one line."""
        self._send(f"STATUS={text}")

    def still_starting(self, status: str = "", seconds: float = 0.0) -> None:
        """Have the manager wait for `ready` beyond its own limit.

        Args:
            status: as `ready` has it.
            seconds: for which nothing more may be heard; some are added.
        """
        extended = int((seconds + _STARTING_SECONDS) * _MICROSECONDS)
        shown = [f"STATUS={status}"] if status else []
        self._send(f"EXTEND_TIMEOUT_USEC={extended}", *shown)

    def reloading(self) -> None:
        """Say that files are being read again; `ready` ends it."""
        # The time is what Type=notify-reload tells this message from an earlier one by.
        now = int(self._clock.monotonic() * _MICROSECONDS)
        self._send("RELOADING=1", f"MONOTONIC_USEC={now}")

    def stopping(self) -> None:
        """Say that the process is about to end."""
        self._send("STOPPING=1", "STATUS=Answers what is in flight, then ends")

    async def watchdog(self) -> None:
        """Give signs of life until cancelled, from the event loop, to show that it turns.

        Returns at once where the manager does not watch.
        """
        if self._watchdog_seconds is None:
            return
        while True:
            self._send("WATCHDOG=1")
            await self._clock.sleep(self._watchdog_seconds / 2)

    def _send(self, *lines: str) -> None:
        if self._address is None:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)  # noqa: FBT003  the library's own
                sender.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            if not self._has_failed:
                _log.warning("service_manager.unreachable", errno=error.errno, advice=_UNREACHABLE)
            self._has_failed = True
        else:
            self._has_failed = False


_UNREACHABLE: Final = (
    "The service manager's socket takes no message, so it does not know the state of this service "
    "and may end it. Under systemd, see that RestrictAddressFamilies allows AF_UNIX and that "
    "NotifyAccess is main; elsewhere, unset NOTIFY_SOCKET."
)
