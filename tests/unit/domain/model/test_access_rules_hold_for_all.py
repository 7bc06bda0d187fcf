"""What holds for any rules and requests."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from domain.model.access_patterns import SecretPattern
from domain.model.access_rules import AccessRules, Denial, Grant
from domain.model.patterns import PathPattern
from tests.unit.domain.model.access_rules_rig import ENTITIES, TEAM, with_properties

PROPERTY_MAPS = st.dictionaries(
    st.sampled_from(["environment", "path", "encoding"]), st.sampled_from(["a", "b"]), max_size=3
)
SOME_GRANTS = st.builds(
    lambda name, paths, properties: Grant(
        name,
        (ENTITIES,),
        (
            SecretPattern(
                tuple(map(PathPattern, paths)),
                properties={key: frozenset({value}) for key, value in properties.items()},
            ),
        ),
    ),
    st.sampled_from(["one", "two", "three"]),
    st.lists(st.sampled_from(["/payments/*", "/admin/*", "/**", "/payments/API_KEY"]), max_size=2),
    PROPERTY_MAPS,
)


@given(st.lists(SOME_GRANTS, max_size=4), PROPERTY_MAPS, PROPERTY_MAPS)
def test_naming_one_more_property_never_turns_a_refusal_into_a_permission(
    grants: list[Grant], named: dict[str, str], more: dict[str, str]
) -> None:
    those = AccessRules(frozenset({TEAM}), tuple(grants))
    fewer = those.decide(with_properties(**named))
    further = those.decide(with_properties(**{**more, **named}))

    assert fewer.allowed or not further.allowed


@given(st.lists(SOME_GRANTS, max_size=4), PROPERTY_MAPS, st.randoms())
def test_the_order_of_grants_does_not_matter(
    grants: list[Grant], named: dict[str, str], random: object
) -> None:
    shuffled = list(grants)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    request = with_properties(**named)

    assert AccessRules(frozenset({TEAM}), tuple(grants)).decide(request) == AccessRules(
        frozenset({TEAM}), tuple(shuffled)
    ).decide(request)


@given(st.lists(SOME_GRANTS, max_size=3), SOME_GRANTS, PROPERTY_MAPS)
def test_one_more_denial_or_one_grant_less_never_allows_more(
    grants: list[Grant], extra: Grant, named: dict[str, str]
) -> None:
    request = with_properties(**named)
    fewer = AccessRules(frozenset({TEAM}), tuple(grants))
    more = AccessRules(frozenset({TEAM}), (*grants, extra))
    denied = replace(more, denials=(Denial("no", paths=(PathPattern("/payments/*"),)),))

    assert more.decide(request).allowed or not fewer.decide(request).allowed
    assert not denied.decide(request).allowed
