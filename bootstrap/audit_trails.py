"""The audit trail: the log, a file and two streams, as configured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, final

from adapters.audit.buffered import BufferLimits
from adapters.audit.fan_out import AuditFanOut
from adapters.audit.file import AuditFile, AuditFileConfig, FsyncPolicy
from adapters.audit.samples import audit_samples
from adapters.audit.served_apart import ServedApart
from adapters.audit.sink import AuditSink, OnFull
from adapters.audit.stream_config import AuditStreamConfig, refused_config
from adapters.audit.summed_refusals import SummedRefusals
from adapters.telemetry.audit_log import AuditLog
from bootstrap.settings import Problem, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adapters.audit.buffered import BufferedSink
    from adapters.audit.stream import AuditStream
    from bootstrap.settings import Settings
    from ports.clock import Clock
    from ports.plugin import Sample

_SECONDS_A_DAY: Final = 86400.0


@final
class AuditTrails:
    """Every sink that is configured.

    Args:
        settings: which sinks, and what happens when they are full.
        shared: what the transport shares; the stream uses its NATS connection.
        clock: for the sinks.

    Attributes:
        trail: records.
        buffers: the sinks by the names that metrics give them.

    Raises:
        SettingsError: a stream is configured, and the transport shares no NATS connection.
    """

    def __init__(self, settings: Settings, shared: Mapping[type, Any], clock: Clock) -> None:
        limits = BufferLimits(
            max_bytes=settings.audit_buffer_bytes, on_full=OnFull(settings.audit_when_full)
        )
        self.buffers: dict[str, AuditLog | BufferedSink] = {}
        self._file: AuditFile | None = None
        sinks: list[AuditSink] = []
        if settings.audit_log:
            log = AuditLog(limits.max_bytes, refuses=limits.on_full is OnFull.REFUSE)
            self.buffers["log"] = log
            sinks.append(log)
        if settings.audit_file is not None:
            fsync = FsyncPolicy(settings.audit_file_fsync)
            self._file = AuditFile(AuditFileConfig(settings.audit_file, fsync, limits), clock)
            self.buffers["file"] = self._file
            sinks.append(self._file)
        if settings.audit_stream is not None:
            served, others = _streams(settings, settings.audit_stream, limits, shared, clock)
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


def _streams(
    settings: Settings, name: str, limits: BufferLimits, shared: Mapping[type, Any], clock: Clock
) -> tuple[AuditStream, AuditStream]:
    """Build the stream of served secrets and the one beside it."""
    from nats.aio.client import Client  # noqa: PLC0415  loaded for a stream alone

    from adapters.audit.stream import AuditStream  # noqa: PLC0415

    client = shared.get(Client)
    if client is None:
        raise SettingsError(
            Problem(
                "AUDIT_STREAM",
                f"needs a NATS connection, which the transport {settings.transport} has not; unset "
                "it and set AUDIT_FILE, or choose another TRANSPORT.",
            )
        )
    config = AuditStreamConfig(
        stream=name,
        max_age_seconds=settings.audit_stream_max_age_days * _SECONDS_A_DAY,
        max_bytes=settings.audit_stream_max_bytes,
        replicas=settings.audit_stream_replicas,
        limits=limits,
    )
    return AuditStream(client, config, clock), AuditStream(client, refused_config(config), clock)
