"""Refused logins, kept in a file so that a restarted process does not count from zero."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple, final

import structlog

from adapters.system.files import read_file, replace_file

if TYPE_CHECKING:
    from pathlib import Path

_MAX_BYTES = 4096

_log = structlog.get_logger()


class Refusals(NamedTuple):
    """Refused logins of one identity.

    Attributes:
        in_a_row: how many, without a gap that resets the server's counter.
        last: when the last one was, in seconds since the epoch.
    """

    in_a_row: int = 0
    last: float = 0.0


@final
class LockoutFile:
    """One small file for one identity; holds no credential."""

    def __init__(self, path: Path, identity: str) -> None:
        """Take the path, and a digest that tells identities apart."""
        self._path = path
        self._identity = identity

    def load(self) -> Refusals:
        """Return what the file says; nothing where it is missing or another identity's.

        Raises:
            OSError: it cannot be read.
            ValueError: it is not such a file; the text says what to do.
        """
        try:
            text = read_file(self._path, _MAX_BYTES).data.decode("utf-8", "replace")
        except FileNotFoundError:
            return Refusals()
        try:
            content = json.loads(text)
            identity, in_a_row, last = content["identity"], content["in_a_row"], content["last"]
            refusals = Refusals(int(in_a_row), float(last))
        except (ValueError, KeyError, TypeError):
            refusals = None
        if refusals is None:
            raise ValueError(f"{self._path} holds no refused logins; remove it.")
        return refusals if identity == self._identity else Refusals()

    def save(self, refusals: Refusals) -> None:
        """Write the file; a failure is logged, since a login matters more."""
        content = {"identity": self._identity, **refusals._asdict()}
        try:
            replace_file(self._path, json.dumps(content).encode("utf-8"))
        except OSError as error:
            _log.warning("lockout.not_saved", path=str(self._path), error_type=type(error).__name__)
