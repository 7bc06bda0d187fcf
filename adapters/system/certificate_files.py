"""Certificate files that are replaced while the service runs, as by cert-manager or the kubelet."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, final

import structlog

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

_log = structlog.get_logger()


@final
class CertificateFiles:
    """Files that a TLS context was made of.

    New authorities are trusted beside the old ones; a new client certificate takes the old one's
    place. Connections that are open go on with what they began with.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        authorities: Path | str | None,
        certificate: tuple[Path | str, Path | str | None] | None,
    ) -> None:
        """Note what state the files are in.

        Args:
            context: has them loaded.
            authorities: what is trusted, if it is a file.
            certificate: what is shown to servers, and its key where that has a file of its own.
        """
        self._context = context
        self._authorities = authorities
        self._certificate = certificate
        self._seen = self._state()

    def read_again(self) -> bool:
        """Load those that were replaced since; return whether any was.

        What cannot be used changes nothing. To be called when a connection could not be made.
        """
        state = self._state()
        if state == self._seen:
            return False
        self._seen = state
        try:
            if self._authorities is not None:
                self._context.load_verify_locations(cafile=self._authorities)
            if self._certificate is not None:
                certificate, key = self._certificate
                self._context.load_cert_chain(certificate, key, password=_no_password)
        except (OSError, ValueError) as error:
            _log.warning("certificates.unreadable", error_type=type(error).__name__)
            return False
        _log.info("certificates.read_again")
        return True

    def _state(self) -> list[tuple[int, int, int] | None]:
        return [_state_of(file) for file in (self._authorities, *(self._certificate or ()))]


def _state_of(file: Path | str | None) -> tuple[int, int, int] | None:
    """Return what changes when a file is replaced; None where there is none."""
    if file is not None:
        with suppress(OSError):
            found = os.stat(file)  # noqa: PTH116  also for texts
            return found.st_ino, found.st_mtime_ns, found.st_size
    return None


def _no_password() -> str:
    # Without this an encrypted key would have OpenSSL ask on the terminal and wait.
    raise ValueError("encrypted")
