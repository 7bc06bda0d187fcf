"""Versions: checked before any call, and against the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.model.errors import InvalidRequest, SecretNotFound

if TYPE_CHECKING:
    from tests.unit.adapters.infisical.conftest import World


@pytest.mark.parametrize(
    "version", ["0", "-1", "+1", "01", "1.0", " 1", "1\n", "1_0", "٣", "latest", "", "1" * 101]
)
async def test_what_is_no_positive_number_is_refused_before_any_call(
    world: World, version: str
) -> None:
    with pytest.raises(InvalidRequest):
        await world.get("KEY", version)

    assert not world.model.calls


@pytest.mark.parametrize("version", ["2147483648", "9" * 100])
async def test_a_number_beyond_the_server_s_column_is_not_found_without_a_call(
    world: World, version: str
) -> None:
    with pytest.raises(SecretNotFound):
        await world.get("KEY", version)

    assert not world.model.calls


async def test_an_older_server_that_ignores_the_version_does_not_get_away_with_it(
    world: World,
) -> None:
    world.model.honours_version = False
    for value in ("a", "b", "c"):
        world.model.put("KEY", value)

    assert (await world.get("KEY", "3")).value.reveal() == "c"
    with pytest.raises(SecretNotFound):
        await world.get("KEY", "1")
