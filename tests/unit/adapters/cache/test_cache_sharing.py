"""Which callers share an answer, and what keeps answers apart."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from tests.contracts.secret_store import CALLER
from tests.unit.adapters.cache.cache_rig import PATH, Rig, whole_caller


async def test_versions_places_and_encodings_are_kept_apart() -> None:
    rig = Rig()
    rig.inner.put(PATH, "first")
    rig.inner.put(PATH, "second")
    rig.inner.put(PATH, "in dev", environment="dev")

    for _ in range(2):
        assert (await rig.text(version="1"))[1] == "first"
        assert (await rig.text())[1] == "second"
        dev = await rig.request(rig.query(environment="dev"))
        assert dev.value.reveal() == "in dev"
    plain = rig.query()
    decoded = plain._replace(location=plain.location._replace(encoding="base64"))
    assert (await rig.request(decoded)).source == "store"


async def test_one_answer_serves_all_callers_of_a_store_that_answers_all_alike() -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    other = replace(CALLER, application="another")
    await rig.fetch()

    assert (await rig.request(rig.query(caller=other))).source == "cache"


async def test_no_caller_gets_what_a_store_answered_another() -> None:
    rig = Rig(partition=whole_caller)
    rig.inner.put(PATH, "value")
    await rig.fetch()

    for other in (
        replace(CALLER, application="another"),
        replace(CALLER, entity=replace(CALLER.entity, issuer=CALLER.host.issuer)),
        replace(CALLER, entity=replace(CALLER.entity, tags=("admin",))),
    ):
        assert (await rig.request(rig.query(caller=other))).source == "store"
    assert (await rig.fetch()).source == "cache"


async def test_callers_of_equal_partitions_share_an_answer() -> None:
    rig = Rig(partition=lambda caller: caller.application)
    rig.inner.put(PATH, "value")
    await rig.fetch()
    alike = replace(CALLER, entity=replace(CALLER.entity, tags=("admin",)))
    other = replace(CALLER, application="another")

    sources = [(await rig.request(rig.query(caller=caller))).source for caller in (alike, other)]

    assert sources == ["cache", "store"]


async def test_callers_of_such_a_store_do_not_share_a_call() -> None:
    rig = Rig(partition=whole_caller)
    rig.inner.put(PATH, "value")
    callers = [replace(CALLER, application=name) for name in "ab"]

    await asyncio.gather(*(rig.request(rig.query(caller=caller)) for caller in callers))

    assert [query.caller for query in rig.inner.queries] == callers
