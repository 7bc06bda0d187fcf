"""What a failure of a `kv` command is told as, and the exit code; loaded once one fails."""

from __future__ import annotations

from adapters.nats.connect_errors import NatsConnectError
from adapters.nats_kv.operating import OtherKeyError, VersionConflictError
from bootstrap.cli.reporting import FAILED, MISUSED
from bootstrap.settings import SettingsError
from domain.model.errors import InvalidRequest, SecretsError
from ports.store_check import StoreMisconfiguredError, StoreUnreachableError

_MISUSES = (SettingsError, StoreMisconfiguredError, InvalidRequest)
_FAILURES = (SecretsError, VersionConflictError, NatsConnectError, StoreUnreachableError)


def told(error: Exception) -> tuple[str, int]:
    """Return one line that says what to do, and the exit code."""
    if isinstance(error, _MISUSES):
        return str(error), MISUSED
    if isinstance(error, OtherKeyError):
        return f"{error} --force stores the value all the same.", FAILED
    if isinstance(error, _FAILURES):
        return str(error), FAILED
    return f"The command failed unexpectedly ({type(error).__name__}); report it.", FAILED
