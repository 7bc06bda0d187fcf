"""Versions: checked before any call, and against the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.infisical import reasons
from domain.model.errors import InvalidRequest, SecretNotFound
from domain.model.reference import SecretQuery, SecretReference
from tests.contracts.secret_store import CALLER
from tests.support.infisical_generations import ALL, EARLY_2026, LATE_2026

if TYPE_CHECKING:
    from tests.support.infisical_generations import Generation
    from tests.unit.adapters.infisical.conftest import World


@pytest.fixture(params=ALL, ids=lambda generation: generation.name)
def generation(request: pytest.FixtureRequest) -> Generation:
    """The rewrite in Go as well, whose answers were read in its code alone."""
    given: Generation = request.param
    return given


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


async def test_a_version_that_was_not_asked_for_is_never_served(world: World) -> None:
    for value in ("a", "b", "c"):
        world.model.put("KEY", value)

    assert (await world.get("KEY", "3")).value.reveal() == "c"
    if world.model.honours_version:
        assert (await world.get("KEY", "1")).value.reveal() == "a"
        return
    with pytest.raises(SecretNotFound, match="serve the latest version alone") as refused:
        await world.get("KEY", "1")
    assert refused.value.reason == reasons.VERSION_IGNORED


ENCODED = [{"key": "encoding", "value": "base64"}]


@pytest.mark.parametrize("version", [None, "2"])
async def test_a_value_marked_as_base64_is_binary_whichever_version_is_asked_for(
    world: World, version: str | None
) -> None:
    world.model.put("KEY", "bm8=", secretMetadata=ENCODED)
    world.model.put("KEY", "AP8=", secretMetadata=ENCODED)

    assert (await world.get("KEY", version)).value.reveal() == b"\x00\xff"


async def test_an_old_version_of_a_value_marked_as_base64_is_binary(world: World) -> None:
    if not world.model.honours_version:
        pytest.skip("this server has no old versions")
    world.model.put("KEY", "AP8=", secretMetadata=ENCODED)
    world.model.put("KEY", "bmV3", secretMetadata=ENCODED)

    assert (await world.get("KEY", "1")).value.reveal() == b"\x00\xff"


async def test_a_policy_that_names_the_encoding_costs_no_second_read(world: World) -> None:
    world.model.put("KEY", "AP8=")
    reference = SecretReference("KEY", {"encoding": "base64"})
    deadline = world.clock.monotonic() + 8.0

    location = world.store.locate(reference)
    secret = await world.store.fetch(SecretQuery(location, "1", CALLER, deadline))

    assert secret.value.reveal() == b"\x00\xff"
    assert len(world.model.reads) == 1


async def test_a_text_is_a_text_whichever_version_is_asked_for(
    world: World,
) -> None:
    world.model.put("KEY", "AP8=", secretMetadata=[])

    for version in (None, "1"):
        assert (await world.get("KEY", version)).value.reveal() == "AP8="


@pytest.mark.parametrize("generation", [EARLY_2026, LATE_2026], ids=lambda each: each.name)
async def test_neither_a_version_nor_its_encoding_is_taken_from_an_import(world: World) -> None:
    world.model.put("KEY", "AP8=", secretMetadata=ENCODED)

    await world.get("KEY", "1")

    pinned, latest = (call.query for call in world.model.reads)
    assert (pinned["version"], "version" in latest) == ("1", False)
    for asked in (pinned, latest):
        assert (asked["includeImports"], asked["include_imports"]) == ("false", "false")
