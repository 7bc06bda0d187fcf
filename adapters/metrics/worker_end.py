"""The ways in which a worker process ends, as the supervisor finds them and metrics count them."""

from __future__ import annotations

from enum import StrEnum


class WorkerEnd(StrEnum):
    """How a worker process ended whose place had to be taken by another."""

    KILLED = "killed"
    """By SIGKILL: mostly the system, for want of memory."""

    HUNG = "hung"
    """By the supervisor, since it gave no sign of life."""

    UNSERVED = "unserved"
    """By the supervisor, since no host was answered by it while others were."""

    SIGNALLED = "signalled"
    """By any other signal, such as that of a crash."""

    FAILED = "failed"
    """By itself, with an exit code that is not 0."""

    ENDED = "ended"
    """By itself with exit code 0, without a signal to stop."""

    NOT_STARTED = "not_started"
    """Before it began: the system could not make a process."""
