"""A core that remembers requests, and how it is asked."""

from __future__ import annotations

from typing_extensions import override

from domain.model.access import AccessPolicy, AccessRequest, Decision
from domain.model.authenticated_request import AskedSecret, AuthenticatedRequest
from domain.model.identity import Caller, IdentityKind
from domain.model.reference import NO_PROPERTIES, SecretLocation
from domain.use_cases.known_places import Place, meaning_of
from tests.fakes.token_verifier import fake_claims

PLACE = Place(NO_PROPERTIES, SecretLocation("/KEY"), meaning_of(NO_PROPERTIES))

KNOWN = AuthenticatedRequest(
    AskedSecret("KEY"), "", Caller(fake_claims(), fake_claims(IdentityKind.HOST))
)


class Switch(AccessPolicy):
    """Allows every caller or none."""

    allows = True

    @override
    def decide(self, request: AccessRequest) -> Decision:
        return Decision(self.allows, "switched")

    @property
    @override
    def revision(self) -> object:
        return self.allows
