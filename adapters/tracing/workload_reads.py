"""Reads for workloads of wasmCloud 2, decorated: one span for each, whatever its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from adapters.tracing import attributes as known
from adapters.tracing.request_handler import RPC_SYSTEM_NAME
from domain.model.transport import WORKLOAD_READ

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from domain.model.secret_uri import SecretUri
    from domain.model.workload import Workload
    from domain.use_cases.read_for_workload import ReadsForWorkloads, WorkloadRead

_COMMON: Final = {known.RPC_SYSTEM: RPC_SYSTEM_NAME, known.RPC_METHOD: WORKLOAD_READ}
_NO_PARENT: Final = Context()
"""Reads of one start run at the same time, and each is a trace of its own, as requests are."""


@final
class TracedWorkloadReads:
    """Passes every read on to `inner` inside a span of its own.

    This process decides when it reads, so the span's kind is INTERNAL. `TracedAuditTrail` fills in
    how the read ended.
    """

    def __init__(self, inner: ReadsForWorkloads, tracer: Tracer) -> None:
        self._inner = inner
        self._tracer = tracer

    async def __call__(
        self, workload: Workload, wanted: SecretUri, deadline: float
    ) -> WorkloadRead:
        """Read as `inner` does."""
        with self._tracer.start_as_current_span(
            WORKLOAD_READ,
            context=_NO_PARENT,
            kind=SpanKind.INTERNAL,
            attributes=_COMMON,
            record_exception=False,
            set_status_on_exception=False,
        ):
            return await self._inner(workload, wanted, deadline)
