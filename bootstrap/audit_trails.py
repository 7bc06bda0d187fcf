"""The audit trail: the log, a file and two streams, as configured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, final

import structlog

from adapters.audit.sink import (
    AuditFanOut,
    AuditSink,
    BufferLimits,
    OnFull,
    ServedApart,
    audit_samples,
)
from adapters.audit.summed_refusals import SummedRefusals
from adapters.telemetry.audit_log import AuditLog
from bootstrap.server_keys import derived_keys
from bootstrap.settings import Problem, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nats.aio.client import Client

    from adapters.audit.buffered import BufferedSink
    from adapters.audit.file import AuditFile
    from bootstrap.settings import Settings
    from domain.use_cases.key_ring import KeyRing
    from ports.clock import Clock
    from ports.plugin import Sample

    _Sign = Callable[[bytes], bytes]

_SECONDS_A_DAY: Final = 86400.0
_log = structlog.get_logger()


@final
class AuditTrails:
    """Every sink that is configured.

    Args:
        keys: the server's, from which the key that signs events is derived.
        shared: what the transport shares; the stream uses its NATS connection.

    Attributes:
        buffers: the sinks by the names that metrics give them.

    Raises:
        SettingsError: a stream is configured, and the transport shares no NATS connection.
    """

    def __init__(
        self, settings: Settings, keys: KeyRing, shared: Mapping[type, Any], clock: Clock
    ) -> None:
        limits = BufferLimits(
            max_bytes=settings.audit_buffer_bytes, on_full=OnFull(settings.audit_when_full)
        )
        signer = _signers(settings, keys)
        self.buffers: dict[str, AuditLog | BufferedSink] = {}
        self._file: AuditFile | None = None
        sinks: list[AuditSink] = []
        if settings.audit_log:
            log = AuditLog(limits.max_bytes, refuses=limits.on_full is OnFull.REFUSE)
            self.buffers["log"] = log
            sinks.append(log)
        if settings.audit_file is not None:
            from adapters.audit.file import AuditFile  # noqa: PLC0415  loaded for a file alone

            path, fsync = settings.audit_file, settings.audit_file_fsync
            self._file = AuditFile(path, clock, limits, signer(), fsync=fsync)
            self.buffers["file"] = self._file
            sinks.append(self._file)
        if settings.audit_stream is not None:
            from adapters.audit import stream_config  # noqa: PLC0415  loaded for a stream alone
            from adapters.audit.stream import AuditStream  # noqa: PLC0415  likewise

            client = _client(settings, shared)
            config = stream_config.AuditStreamConfig(
                stream=settings.audit_stream,
                max_age_seconds=settings.audit_stream_max_age_days * _SECONDS_A_DAY,
                max_bytes=settings.audit_stream_max_bytes,
                replicas=settings.audit_stream_replicas,
                limits=limits,
            )
            served = AuditStream(client, config, clock, signer())
            others = AuditStream(client, stream_config.refused_config(config), clock, signer())
            self.buffers |= {"stream": served, "refused_stream": others}
            sinks.append(ServedApart(served, others))
        every = sinks[0] if len(sinks) == 1 else AuditFanOut(sinks)
        self.trail: AuditSink = SummedRefusals(every, settings.audit_refusals_per_second, clock)

    def reopen(self) -> None:
        """Have the file opened again before its next event, as after a rotation."""
        if self._file is not None:
            self._file.reopen()

    def samples(self) -> Iterable[Sample]:
        """Return the sinks' figures for metrics."""
        return audit_samples(self.trail, self.buffers)


def _signers(settings: Settings, keys: KeyRing) -> Callable[[], _Sign | None]:
    """Return what makes a signer for each sink, or makes none."""
    if not settings.audit_sign:
        return lambda: None
    from adapters.audit.signing import (  # noqa: PLC0415  loaded for signatures alone
        PURPOSE,
        LineSigner,
        public_key_of,
    )

    seed = derived_keys(keys, PURPOSE)[0]
    _log.info("audit.signing", public_key=public_key_of(seed))
    return lambda: LineSigner(seed).sign


def _client(settings: Settings, shared: Mapping[type, Any]) -> Client:
    from nats.aio.client import Client  # noqa: PLC0415  loaded for a stream alone

    client = shared.get(Client)
    if isinstance(client, Client):
        return client
    raise SettingsError(
        Problem(
            "AUDIT_STREAM",
            f"needs a NATS connection, which the transport {settings.transport} has not; unset "
            "it and set AUDIT_FILE, or choose another TRANSPORT.",
        )
    )
