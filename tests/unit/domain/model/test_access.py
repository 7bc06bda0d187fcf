"""Who may, by issuer."""

from __future__ import annotations

from domain.model.access import AccessRequest, AnyValidEntity, TrustedIssuers
from domain.model.identity import AccountKey
from tests.contracts.secret_store import CALLER

REQUEST = AccessRequest(
    CALLER, location=None, field=None, version=None, properties=None, backend="infisical", now=0
)


def test_a_trusted_issuers_entity_may() -> None:
    decision = TrustedIssuers(frozenset({AccountKey("A1")})).decide(REQUEST)

    assert (decision.allowed, decision.reason) == (True, "trusted_issuer")


def test_another_issuers_entity_may_not_even_if_the_hosts_issuer_is_trusted() -> None:
    decision = TrustedIssuers(frozenset({CALLER.host.issuer})).decide(REQUEST)

    assert (decision.allowed, decision.reason) == (False, "issuer_not_trusted")


def test_an_empty_list_denies_every_caller() -> None:
    assert not TrustedIssuers(frozenset()).decide(REQUEST).allowed


def test_without_rules_any_valid_entity_may() -> None:
    assert AnyValidEntity().decide(REQUEST).allowed
