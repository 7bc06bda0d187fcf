"""One directory with what is in it: written when it must change, and why a file is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import structlog

from adapters.projection.content import ProjectedContent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from adapters.projection.directory import ProjectedDirectory
    from bootstrap.projection.plan import PlannedDirectory, PlannedFile
    from domain.model.secret import SecretValue
    from domain.use_cases.follow_secrets import Absent, FollowedSecret, Held

_log = structlog.get_logger()


@final
class Projected:
    """A planned directory that is locked and open. Its methods block and raise nothing.

    Attributes:
        secrets: those of its files.
        writes: generations put in force.
        failures: generations, or removals, that the file system refused.
    """

    def __init__(self, plan: PlannedDirectory, opened: ProjectedDirectory) -> None:
        self._plan = plan
        self._opened = opened
        self._files = {file.secret: file for file in plan.files}
        self._written: dict[str, SecretValue] = {}
        self._absent: dict[str, Absent] = {}
        self._disk_problem: str | None = None
        self._trusts_disk = False
        self.secrets = tuple(self._files)
        self.writes = self.failures = 0

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._plan.path

    @property
    def present(self) -> int:
        """How many of its files are there."""
        return len(self._written)

    def remove(self, secret: FollowedSecret, absent: Absent) -> None:
        """Take the file of a secret away at once, if it is one of these."""
        file = self._files.get(secret)
        if file is None:
            return
        before = self._absent.get(file.name)
        self._absent[file.name] = absent
        about = {
            "directory": str(self._plan.path),
            "file": file.name,
            "reason": absent.error.reason,
            "request_id": absent.request_id,
            "advice": absent.error.advice,
        }
        if self._written.pop(file.name, None) is not None:
            _log.warning("projection.removed", **about)
        elif before is None or before.error.reason != absent.error.reason:
            _log.warning("projection.absent", **about)
        # What an agent before this one has left there goes too.
        self._on_disk(lambda: self._opened.remove([file.name]))

    def write(self, held: Callable[[FollowedSecret], Held | None], now: float) -> bool:
        """Put in force what is held, unless it is; say whether something was written. `held`:
        returns what a file is to hold.
        """
        values: dict[str, SecretValue] = {}
        contents: list[ProjectedContent] = []
        for secret, file in self._files.items():
            found = held(secret)
            data = None if found is None else _payload(found.secret.value)
            if found is not None and data is not None:
                values[file.name] = found.secret.value
                contents.append(_content(file, data))
                self._absent.pop(file.name, None)
        if self._trusts_disk and values == self._written and self._opened.holds(values):
            self._disk_problem = None
            return False
        changed = sorted(name for name, value in values.items() if self._written.get(name) != value)
        if not self._on_disk(lambda: self._opened.write(contents, now)):
            return False
        self.writes += 1
        self._written, self._trusts_disk, self._disk_problem = values, True, None
        _log.info(
            "projection.written", directory=str(self._plan.path), files=len(values), changed=changed
        )
        return True

    def drop_others(self) -> None:
        """Remove what a plan before this one has put there."""
        names = {file.name for file in self._files.values()}
        self._on_disk(lambda: self._opened.keep_only(names))

    def drop_old(self) -> None:
        """Remove the generations before the one in force."""
        self._on_disk(self._opened.drop_old)

    def wipe(self) -> bool:
        """Remove everything, and let go of the directory; say whether all is gone."""
        self._written = {}
        wiped = self._on_disk(self._opened.wipe)
        self._trusts_disk = False
        _log.info("projection.wiped", directory=str(self._plan.path), complete=wiped)
        return wiped

    def problem(self) -> str | None:
        """Return what is not as planned, as advice; None if every file is there."""
        if self._disk_problem is not None:
            return f"{self._plan.path}: {self._disk_problem}"
        missing = len(self._files) - len(self._written)
        if not missing:
            return None
        name, absent = min(self._absent.items(), default=("", None))
        if absent is None:
            return f"{self._plan.path}: {missing} of its files are not written yet."
        why = f"{name}: {absent.error.advice}"
        return f"{self._plan.path}: {missing} of its files are not there; {why}"

    def _on_disk(self, work: Callable[[], None]) -> bool:
        try:
            work()
        except OSError as error:
            self.failures += 1
            problem = f"cannot be changed ({error.strerror}); what was there before stays."
            if problem != self._disk_problem:
                _log.error(
                    "projection.disk_failed",
                    directory=str(self._plan.path),
                    error=error.strerror,
                    advice=_DISK_FAILED,
                )
            self._disk_problem = problem
            return False
        return True


def _content(file: PlannedFile, data: bytes) -> ProjectedContent:
    return ProjectedContent(file.name, data, file.mode, file.owner)


def _payload(value: SecretValue) -> bytes | None:
    """Return the exact bytes of a value; None for a text that no bytes can be."""
    payload = value.reveal()
    if isinstance(payload, bytes):
        return payload
    try:
        return payload.encode("utf-8")
    except UnicodeEncodeError:
        return None


_DISK_FAILED = (
    "The directory keeps what it held, and is tried again with every read; make room on its file "
    "system, or mend what the error says."
)
