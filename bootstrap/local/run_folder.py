"""The folder `.run/`, where `make run` keeps seeds and secrets from one run to the next."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.system.files import Folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class RunFolderError(Exception):
    """The folder cannot be used; the text says what to do."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """What lies where.

    Attributes:
        path: the folder, absolute.
        lock: descriptor of the lock; a process that inherits it keeps the folder locked.
    """

    path: Path
    lock: int

    @property
    def server_seed(self) -> Path:
        """The seed of the xkey that hosts seal for."""
        return self.path / "server_xkey.seed"

    @property
    def encryption_seed(self) -> Path:
        """The seed of the xkey that stored secrets are sealed with."""
        return self.path / "encryption_xkey.seed"

    @property
    def jetstream(self) -> Path:
        """What nats-server stores."""
        return self.path / "jetstream"

    @property
    def nats_log(self) -> Path:
        """What nats-server has to say."""
        return self.path / "nats-server.log"

    @property
    def nats_pid(self) -> Path:
        """The number of nats-server's process."""
        return self.path / "nats-server.pid"

    def nats_config(self) -> str:
        """Return what nats-server's configuration must say about this folder."""
        return f"pid_file: {json.dumps(str(self.nats_pid))}"


@contextmanager
def lock_run_folder(path: Path) -> Iterator[RunFolder]:
    """Make the folder if it does not exist, and keep others out of it.

    Two nats-servers on one folder would damage what it stores, so the server inherits the lock: it
    is held for as long as either of them lives.

    Raises:
        RunFolderError: it is in use, or cannot be made.
    """
    descriptor = -1
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        with Folder.of(path / "lock") as folder:
            with suppress(FileExistsError):
                # It holds seeds; no repository must ever take it in.
                folder.create(".gitignore", b"*\n", 0o644)
            descriptor = folder.open("lock", os.O_RDWR | os.O_CREAT)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        failure = RunFolderError(_in_use(path))
    except OSError as error:
        failure = RunFolderError(f"{path} cannot be used ({error.strerror}); check its owner.")
    else:
        try:
            yield RunFolder(path, descriptor)
        finally:
            os.close(descriptor)
        return
    if descriptor >= 0:
        os.close(descriptor)
    raise failure


def _in_use(path: Path) -> str:
    text = f"{path} is in use by another `make run`; stop that one first, or run in another folder."
    with suppress(OSError, ValueError):
        pid = int(RunFolder(path, -1).nats_pid.read_text("ascii"))
        text += f" If it is gone and left its nats-server behind, stop that: kill {pid}"
    return text
