"""A process in Linux namespaces of its own: a loopback, a `/etc/resolv.conf` and a small disk.

So a soak changes nothing of its machine, and what it makes is gone with its process.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import socket
import struct
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_INSIDE: Final = "SOAK_IN_NAMESPACES"
_SET_FLAGS: Final = 0x8914
_UP_AND_RUNNING: Final = 0x1 | 0x40
_MS_BIND: Final = 4096
_MNT_DETACH: Final = 2


class NamespacesUnavailableError(Exception):
    """This system gives the process no namespaces; the text says what to do."""


def enter_namespaces() -> None:
    """Start this process again inside its namespaces; returns there.

    Raises:
        NamespacesUnavailableError: there are none to be had.
    """
    if os.environ.get(_INSIDE):
        _bring_loopback_up()
        return
    unshare = shutil.which("unshare")
    if unshare is None or sys.platform != "linux":
        raise NamespacesUnavailableError("This needs Linux and `unshare` of util-linux.")
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    arguments = [unshare, *as_root, "--mount", "--net", sys.executable, *sys.orig_argv[1:]]
    os.environ[_INSIDE] = "1"
    os.execv(unshare, arguments)  # noqa: S606  this program itself


def use_name_server(folder: Path) -> None:
    """Have every process in here ask 127.0.0.1 for names, and no other server."""
    file = folder / "resolv.conf"
    file.write_text("nameserver 127.0.0.1\n", "ascii")
    _mount(str(file), "/etc/resolv.conf", None, _MS_BIND)


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[None]:
    """Mount a file system of that size at the folder."""
    _mount("tmpfs", str(folder), "tmpfs", 0, f"size={mebibytes}m")
    try:
        yield
    finally:
        ctypes.CDLL(None).umount2(str(folder).encode(), _MNT_DETACH)


def _mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    given = (source.encode(), target.encode(), kind and kind.encode(), flags, options.encode())
    if libc.mount(*given):
        number = ctypes.get_errno()
        raise NamespacesUnavailableError(f"mount {target}: {os.strerror(number)}")


def _bring_loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", _UP_AND_RUNNING)
        fcntl.ioctl(any_socket, _SET_FLAGS, request)
