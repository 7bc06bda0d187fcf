"""One admitted call, which tells admission how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from typing_extensions import override

from adapters.upstream.engine import Failure
from adapters.upstream.slot import Grant

if TYPE_CHECKING:
    from adapters.upstream.admission import Admission
    from adapters.upstream.engine import TransportError
    from adapters.upstream.message import UpstreamResponse


@final
class Admitted(Grant):
    """One admitted call.

    Attributes:
        sent_at: monotonic seconds.
        ended: how it ended is known.
        counts: how long it took says something about its tenant.
    """

    def __init__(self, admission: Admission, sent_at: float) -> None:
        self._admission = admission
        self.sent_at = sent_at
        self.ended = False
        self.counts = True

    @override
    def answered(self, response: UpstreamResponse) -> None:
        self.ended = True
        self._admission.answered(self.sent_at, response)

    @override
    def failed(self, error: TransportError) -> None:
        self.ended = True
        self.counts = error.failure is Failure.TIMED_OUT
        self._admission.failed(error)
