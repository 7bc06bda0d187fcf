"""The audit trail: the log, a file and a stream, as configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.audit.buffered import BufferLimits
from adapters.audit.fan_out import AuditFanOut
from adapters.audit.file import AuditFile, AuditFileConfig, FsyncPolicy
from adapters.audit.sink import OnFull
from adapters.audit.stream import AuditStream
from adapters.audit.stream_config import AuditStreamConfig
from adapters.telemetry.audit_log import AuditLog
from bootstrap.audit_parts import AuditParts, nothing_to_reopen

if TYPE_CHECKING:
    from adapters.audit.buffered import BufferedSink
    from adapters.nats.client import SteadyClient
    from bootstrap.settings import Settings
    from ports.clock import Clock

_SECONDS_A_DAY = 86400.0


def audit_parts(settings: Settings, client: SteadyClient, clock: Clock) -> AuditParts:
    """Put the sinks together; the stream uses the connection that requests come by."""
    limits = BufferLimits(
        max_bytes=settings.audit_buffer_bytes, on_full=OnFull(settings.audit_when_full)
    )
    buffers: dict[str, AuditLog | BufferedSink] = {}
    if settings.audit_log:
        buffers["log"] = AuditLog(limits.max_bytes, refuses=limits.on_full is OnFull.REFUSE)
    reopen = nothing_to_reopen
    if settings.audit_file is not None:
        file = AuditFile(
            AuditFileConfig(settings.audit_file, FsyncPolicy(settings.audit_file_fsync), limits),
            clock,
        )
        buffers["file"] = file
        reopen = file.reopen
    if settings.audit_stream is not None:
        config = AuditStreamConfig(
            stream=settings.audit_stream,
            max_age_seconds=settings.audit_stream_max_age_days * _SECONDS_A_DAY,
            max_bytes=settings.audit_stream_max_bytes,
            replicas=settings.audit_stream_replicas,
            limits=limits,
        )
        buffers["stream"] = AuditStream(client, config, clock)
    sinks = tuple(buffers.values())
    return AuditParts(sinks[0] if len(sinks) == 1 else AuditFanOut(sinks), reopen, buffers)
