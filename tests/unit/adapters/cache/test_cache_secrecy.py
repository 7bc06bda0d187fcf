"""Values show nowhere but in answers."""

from __future__ import annotations

import copy
import gc
import pickle
from typing import TYPE_CHECKING

import pytest
from nacl.exceptions import CryptoError
from structlog.testing import capture_logs

from adapters.cache.config import CacheConfig
from adapters.cache.sealing import ValueSealer
from domain.model.errors import UpstreamError
from domain.model.secret import SecretValue
from domain.model.selection import Selection
from tests.support.settling import settle
from tests.unit.adapters.cache.cache_rig import PATH, Rig, unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

CANARY = "canary-4f1d-value"


def held_by(root: object) -> Iterator[object]:
    """Yield everything that can be reached from an object, but modules, code and classes."""
    seen: set[int] = set()
    todo = [root]
    while todo:
        item = todo.pop()
        kind = type(item).__name__
        if id(item) in seen or isinstance(item, type) or kind in {"module", "function", "code"}:
            continue
        seen.add(id(item))
        yield item
        todo.extend(gc.get_referents(item))


@pytest.mark.parametrize("value", [CANARY, CANARY.encode()])
async def test_nothing_reachable_from_the_kept_entries_holds_a_plain_value(
    value: str | bytes,
) -> None:
    rig = Rig()
    rig.inner.put(PATH, value)
    await rig.fetch()
    await rig.fetch()
    await settle()
    entries = rig.cache._values._entries

    everything = list(held_by(entries)) + list(held_by(rig.cache._values._sealer))
    texts = [item for item in everything if isinstance(item, (str, bytes))]

    assert len(entries) == 1
    assert PATH in texts
    assert not [text for text in texts if CANARY in (text if isinstance(text, str) else str(text))]
    assert CANARY not in "".join(repr(item) for item in everything)


async def test_no_repr_shows_a_value_or_the_sealing_key() -> None:
    rig = Rig()
    rig.inner.put(PATH, CANARY)
    await rig.fetch()
    sealer = rig.cache._values._sealer
    key = getattr(sealer, "_ValueSealer__key")  # noqa: B009  the name is mangled on purpose

    shown = [repr(item) for item in (sealer, rig.cache._values._entries, *vars(rig.cache).values())]
    entry = rig.cache._values._get((rig.query().location, None, None))
    shown += [repr(entry), repr(entry and entry.sealed)]

    assert CANARY not in "".join(shown)
    assert repr(key) not in "".join(shown)
    assert str(entry and entry.sealed.box) not in "".join(shown)


async def test_no_log_line_holds_a_value() -> None:
    rig = Rig(CacheConfig(max_stale_seconds=60))
    rig.inner.put(PATH, CANARY)
    with capture_logs() as log:
        for _ in range(4):
            await rig.fetch()
        rig.clock.advance(4)
        await rig.fetch()
        await settle()
        rig.clock.advance(5)
        rig.inner.failure = unreachable()
        assert (await rig.fetch()).source == "stale"
        rig.clock.advance(1)
        rig.inner.failure = LookupError(CANARY)
        with pytest.raises(LookupError):
            await rig.fetch()
        rig.cache.invalidate(Selection.everything())
        await settle()

    assert [line["event"] for line in log] == ["cache.fetch_crashed", "cache.flushed"]
    assert CANARY not in repr(log)


async def test_an_error_passed_on_carries_no_trace_of_the_stores_own() -> None:
    rig = Rig()
    rig.inner.failure = unreachable()
    rig.inner.failure.__cause__ = LookupError(CANARY)

    with pytest.raises(UpstreamError) as failure:
        await rig.fetch()

    assert failure.value is not rig.inner.failure
    assert failure.value.__cause__ is None
    assert failure.value.__context__ is None


@pytest.mark.parametrize("payload", ["", "text", "päss ✓", "\ud800", b"", b"\x00\xff", b"text"])
def test_what_was_sealed_opens_exactly(payload: str | bytes) -> None:
    sealer = ValueSealer()
    sealed = sealer.seal(SecretValue(payload))

    assert sealer.open(sealed).reveal() == payload
    assert len(sealed) == 24 + 16 + len(
        payload.encode("utf-8", "surrogatepass") if isinstance(payload, str) else payload
    )


def test_equal_values_do_not_look_alike_when_sealed() -> None:
    sealer = ValueSealer()

    assert sealer.seal(SecretValue("value")).box != sealer.seal(SecretValue("value")).box


def test_no_other_sealer_opens_it() -> None:
    with pytest.raises(CryptoError):
        ValueSealer().open(ValueSealer().seal(SecretValue("value")))


@pytest.mark.parametrize("leak", [pickle.dumps, copy.copy, copy.deepcopy, vars])
def test_a_sealers_key_cannot_be_taken_away(leak: object) -> None:
    assert callable(leak)
    with pytest.raises(TypeError):
        leak(ValueSealer())
