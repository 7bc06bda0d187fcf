"""A name of the file that a mistake suggests: repeated only where it shows as what it is."""

from __future__ import annotations

import pytest

from adapters.access_policy.node_reader import suggestion as of_a_policy
from adapters.wadm_manifest.tree import suggestion as of_a_manifest

HIDDEN = ("te\tam", "te\x1b[2Jam", "team\u202e", "te\u200bam", "team\x85")


@pytest.mark.parametrize("suggest", [of_a_policy, of_a_manifest])
@pytest.mark.parametrize("name", HIDDEN)
def test_a_near_name_that_could_steer_a_terminal_is_not_suggested(
    suggest: object, name: str
) -> None:
    assert callable(suggest)
    assert suggest("team", [name]) == ""


@pytest.mark.parametrize("suggest", [of_a_policy, of_a_manifest])
def test_a_near_name_of_plain_characters_is(suggest: object) -> None:
    assert callable(suggest)
    assert suggest("taem", ["other", "team"]) == ' Did you mean "team"?'
