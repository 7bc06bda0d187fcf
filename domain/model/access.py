"""Who may have which secret."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, NamedTuple, Protocol

from domain.model.opaque import opaque
from domain.model.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.identity import AccountKey, Caller
    from domain.model.reference import SecretLocation
    from domain.model.transport import Requester


class AccessRequest(NamedTuple):
    """Everything a rule may look at.

    Attributes:
        caller: whom verified tokens name, or the workload that the operator of its host names.
        location: where the secret is; None when the reference could not be read, so that a rule
            about locations cannot match.
        properties: the policy properties as sent; None when the policy could not be read.
        backend: the name this backend is addressed by.
        requester: whom the transport vouches for, if it does.
    """

    caller: Caller | Workload
    location: SecretLocation | None
    field: str | None
    version: str | None
    properties: Mapping[str, str] | None
    backend: str
    now: float
    requester: Requester | None = None

    @property
    def signed(self) -> Caller | None:
        """The caller, if tokens name it; None for a workload."""
        return None if isinstance(self.caller, Workload) else self.caller


class Decision(NamedTuple):
    """Whether the caller may, and why.

    Attributes:
        reason: a constant snake_case code for logs and audit.
        grant: the name of the rule that allowed it, if one did.
        knows_of: whether the rules name this very secret to the caller; where they only cover it
            by a wildcard, whether it exists may be kept from the caller.
    """

    allowed: bool
    reason: str
    grant: str | None = None
    knows_of: bool = True


class AccessPolicy(Protocol):
    """The rules in force. Pure: one revision always gives the same decision."""

    @abstractmethod
    def decide(self, request: AccessRequest) -> Decision:
        """Decide one request; never raises."""

    @property
    @abstractmethod
    def revision(self) -> object:
        """The same object for as long as the same rules are in force, and another afterwards."""


@opaque
class TrustedIssuers(AccessPolicy):
    """Allows entities whose token was issued by one of the named accounts; empty denies all."""

    issuers: frozenset[AccountKey]

    def decide(self, request: AccessRequest) -> Decision:
        caller = request.caller
        if isinstance(caller, Workload):
            return NO_WORKLOADS
        return _TRUSTED if caller.entity.issuer in self.issuers else _NOT_TRUSTED

    @property
    def revision(self) -> object:
        return None


class AnyValidEntity(AccessPolicy):
    """Allows every validly signed entity; any key can sign one, so the transport alone guards."""

    __slots__ = ()

    def decide(self, request: AccessRequest) -> Decision:
        return NO_WORKLOADS if request.signed is None else _ANYBODY

    @property
    def revision(self) -> object:
        return None


NO_WORKLOADS = Decision(allowed=False, reason="workload_needs_policy_file")
"""Nothing signs a workload, so that rules that only look at signatures let none through."""

_TRUSTED = Decision(allowed=True, reason="trusted_issuer")
_NOT_TRUSTED = Decision(allowed=False, reason="issuer_not_trusted")
_ANYBODY = Decision(allowed=True, reason="any_valid_entity")
