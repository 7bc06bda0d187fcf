"""From a caller and a request to a place in the store that this caller may read."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from domain.model.access import AccessRequest
from domain.model.errors import InvalidRequest, PolicyError, SecretNotFound, Unauthorized
from domain.model.opaque import opaque
from domain.model.policy_properties import parse_policy
from domain.model.reference import SecretLocation, SecretReference
from domain.use_cases.known_places import KnownPlaces, Place, meaning_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.access import AccessPolicy, Decision
    from domain.model.authenticated_request import AskedSecret, AuthenticatedRequest
    from domain.model.identity import Claims
    from domain.model.secret_uri import SecretUri
    from domain.model.transport import Requester
    from domain.model.workload import Workload
    from ports.clock import Clock
    from ports.secret_store import SecretStore


Target: TypeAlias = SecretLocation | PolicyError | InvalidRequest
"""Where the secret is, or why the request names no place."""

_NOT_THIS_ONE = "No rule lets this caller have this secret; see the audit record."


class Access(NamedTuple):
    """What the rules say of one request.

    Attributes:
        asked: what they were asked.
        properties: the policy properties as sent; None when the policy could not be read.
        hides_missing: whether the caller is not to learn that the secret does not exist.
        place: where a host's request leads, if it names a place.
    """

    decision: Decision
    target: Target
    asked: AccessRequest
    properties: Mapping[str, str] | None = None
    hides_missing: bool = False
    place: Place | None = None

    @property
    def location(self) -> SecretLocation | None:
        """Where the secret is, as far as the request names a place."""
        return self.target if isinstance(self.target, SecretLocation) else None

    def enforce(self) -> SecretLocation:
        """Return the location that may be read.

        A caller who may not have the secret learns nothing else: what is wrong with the key or the
        policy is said only to those who may.

        Raises:
            Unauthorized: no rule allows it.
            PolicyError: the policy is malformed, or chooses outside what the operator allows.
            InvalidRequest: the key cannot name a secret in this store.
        """
        if not self.decision.allowed:
            raise Unauthorized(_NOT_THIS_ONE, reason=self.decision.reason)
        if isinstance(self.target, SecretLocation):
            return self.target
        raise self.target

    def missing(self, error: SecretNotFound) -> SecretNotFound | Unauthorized:
        """Return how it is answered that the secret, its version or its field is not there.

        To a caller who is not to learn that, it looks like any secret that the rules keep from it;
        the reason, which only the operator sees, stays. Time may still tell how far the caller's
        own grant reaches, but never what exists beyond it: a refusal by the rules asks no store.
        """
        if not self.hides_missing:
            return error
        return Unauthorized(
            _NOT_THIS_ONE, reason=error.reason, upstream_request_id=error.upstream_request_id
        )


@opaque
class AuthorizeAccess:
    """Decides by the rules in force; what the request itself says can only narrow.

    Attributes:
        backend: the name this backend is addressed by.
        hide_missing: keep from callers whether a secret exists that no rule names outright.
    """

    policy: AccessPolicy
    store: SecretStore
    clock: Clock
    backend: str
    hide_missing: bool = False
    _known: KnownPlaces = field(default_factory=KnownPlaces, init=False, repr=False, compare=False)

    def for_request(
        self,
        request: AuthenticatedRequest,
        requester: Requester | None,
        place: Place | None = None,
    ) -> Access:
        """Decide one request; never raises. `place`: where the request leads, if that is known."""
        asked, policy, caller, _ = request
        known = place or self._known.find(caller.entity, asked, policy)
        if known is None:
            properties, target, place = self._read(caller.entity, asked, policy)
        else:
            (properties, target, _), place = known, known
        location = None if place is None else place.location
        # By position, as all of these that every request makes: names would take twice as long.
        question = AccessRequest(
            caller,
            location,
            asked.field,
            asked.version,
            properties,
            self.backend,
            self.clock.now(),
            requester,
        )
        decision = self.policy.decide(question)
        if known is None and decision.allowed and place is not None:
            self._known.keep(caller.entity, asked, policy, place)
        hides_missing = self.hide_missing and not decision.knows_of
        return Access(decision, target, question, properties, hides_missing, place)

    def for_workload(self, workload: Workload, wanted: SecretUri) -> Access:
        """Decide one read for a workload; never raises."""
        asked, properties = wanted.asked, wanted.properties
        target = self._locate(asked, properties)
        question = AccessRequest(
            caller=workload,
            location=target if isinstance(target, SecretLocation) else None,
            field=asked.field,
            version=asked.version,
            properties=properties,
            backend=self.backend,
            now=self.clock.now(),
        )
        decision = self.policy.decide(question)
        hides_missing = self.hide_missing and not decision.knows_of
        return Access(decision, target, question, properties, hides_missing)

    def location_of(self, wanted: SecretUri) -> SecretLocation | None:
        """Return the place that a reference means; None if it means none."""
        target = self._locate(wanted.asked, wanted.properties)
        return target if isinstance(target, SecretLocation) else None

    @property
    def revision(self) -> object:
        """Which rules are in force, to be given to `again` by those who wait."""
        return self.policy.revision

    def again(self, access: Access, rules: object) -> Access:
        """Decide again, after a wait, what may have changed; nothing while the same rules hold.

        Args:
            rules: the `revision` at the first decision.
        """
        if self.policy.revision is rules:
            return access
        asked = access.asked._replace(now=self.clock.now())
        decision = self.policy.decide(asked)
        hides_missing = self.hide_missing and not decision.knows_of
        return access._replace(decision=decision, asked=asked, hides_missing=hides_missing)

    def _read(
        self, entity: Claims, asked: AskedSecret, policy: str
    ) -> tuple[Mapping[str, str] | None, Target, Place | None]:
        try:
            properties = parse_policy(policy)
        except PolicyError as error:
            return None, error, None
        place = self._known.find_meant(entity, asked, properties)
        if place is None:
            target = self._locate(asked, properties)
            if not isinstance(target, SecretLocation):
                return properties, target, None
            place = Place(properties, target, meaning_of(properties))
        return place.properties, place.location, place

    def _locate(self, asked: AskedSecret, properties: Mapping[str, str]) -> Target:
        try:
            return self.store.locate(SecretReference(asked.key, properties, asked.field))
        except (PolicyError, InvalidRequest) as error:
            return error
