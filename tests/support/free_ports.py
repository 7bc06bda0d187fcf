"""Ports for servers that must be told theirs beforehand."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack


def neighbouring_ports(count: int = 2) -> int:
    """Return the first of `count` free ports in a row on 127.0.0.1.

    They lie below the range from which systems give out ports by themselves: a port up there can
    be taken by any connection before the server gets to it.
    """
    while True:
        first = random.randint(15_000, 31_000)
        with ExitStack() as held:
            try:
                for port in range(first, first + count):
                    listener = held.enter_context(socket.socket())
                    listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
