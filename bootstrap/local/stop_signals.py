"""What happens at Ctrl-C, at SIGTERM and when the terminal is closed."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def on_stop_signal(act: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Call `act` from the running event loop for each signal that asks this process to stop."""
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, act, number)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


class CancelOnce:
    """Cancels the task that made it at the first signal, and lets it clean up in peace. `received`:
    the signal, once there was one.
    """

    def __init__(self) -> None:
        self._task = asyncio.current_task()
        self.received: signal.Signals | None = None

    def __call__(self, number: signal.Signals) -> None:
        """Take one signal."""
        if self.received is None and self._task is not None:
            self.received = number
            self._task.cancel()

    def check(self) -> None:
        """Cancel once more if the first time was in vain.

        `asyncio.wait_for` loses a cancellation that comes together with its result (before Python
        3.12), and nats-py waits for every reply with it.

        Raises:
            asyncio.CancelledError: there was a signal.
        """
        if self.received is not None:
            raise asyncio.CancelledError
