"""What a command's failure is told as, and the exit code it ends with; loaded once one fails."""

from __future__ import annotations

from adapters.crypto.nkeys_text import InvalidNKeyError
from adapters.crypto.seed_file import SeedFileError
from adapters.nats.connect_errors import NatsConnectError
from bootstrap.cli.reporting import (
    FAILED,
    MISUSED,
    CommandError,
    NotPermittedError,
    NotReadyError,
)
from bootstrap.cli.terminal import printable
from bootstrap.settings import SettingsError
from domain.model.errors import REQUEST_ERRORS
from domain.model.replies import MalformedReplyError, wire_name
from ports.transport import ChannelError

_MISUSES = (SettingsError, CommandError, InvalidNKeyError, SeedFileError)
_FAILURES = (NatsConnectError, ChannelError, NotReadyError, NotPermittedError)


def told(error: Exception) -> tuple[str, int]:
    """Return one line that says what to do, and the exit code."""
    if isinstance(error, _MISUSES):
        return str(error), MISUSED
    if isinstance(error, MalformedReplyError):
        return f"The answer is not of this protocol: {error}.", FAILED
    if isinstance(error, _FAILURES):
        return str(error), FAILED
    if isinstance(error, REQUEST_ERRORS):
        return f"{wire_name(error)}: {printable(error.advice)}", FAILED
    return f"The command failed unexpectedly ({type(error).__name__}); report it.", FAILED
