"""Who asks in version 2 of wasmCloud: a workload, as the operator names it.

Nothing signs a workload there, so its name is worth what the process that states it is worth: the
unit of trust is the environment, that is all hosts that one relay or agent of this service serves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.model.errors import UpstreamError

if TYPE_CHECKING:
    from domain.model.identity import Caller


@dataclass(frozen=True, slots=True)
class Workload:
    """One workload; equal ones are the same caller.

    Attributes:
        environment: the operator's word for the hosts that this process serves, from a setting.
        namespace: as the operator of the hosts states it, as is the name.
    """

    environment: str
    namespace: str
    name: str


def signed(caller: Caller | Workload) -> Caller:
    """Return the caller whose tokens were verified, for a store that answers each by these.

    Raises:
        UpstreamError: it is a workload, which has no token.
    """
    if isinstance(caller, Workload):
        raise UpstreamError(
            "The store answers each component by its signed token, and a workload of wasmCloud 2 "
            "has none; let the service log in to the store itself.",
            reason="store_needs_token",
        )
    return caller
