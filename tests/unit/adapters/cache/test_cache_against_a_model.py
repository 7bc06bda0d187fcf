"""Whatever happens in whatever order, the cache does what a few lines of model say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from adapters.cache.config import CacheConfig
from domain.model.errors import SecretNotFound, SecretsError, StoreUnavailable, Unauthorized
from domain.model.selection import Selection
from tests.unit.adapters.cache.cache_rig import Rig, unreachable

TTL, STALE, NEGATIVE = 5.0, 20.0, 1.0
PATHS = ("/a/x", "/a/y", "/b/x")
paths = st.sampled_from(PATHS)


@dataclass
class Kept:
    value: str
    at: float


class CacheMachine(RuleBasedStateMachine):
    """One request at a time; every step predicts the answer, its source and the calls made."""

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig(
            CacheConfig(ttl_seconds=TTL, max_stale_seconds=STALE, jitter_share=0, refresh_share=1)
        )
        self.stored: dict[str, str] = {}
        self.kept: dict[str, Kept] = {}
        self.failed: dict[str, tuple[type[SecretsError], float]] = {}
        self.failure: SecretsError | None = None
        self.calls = 0
        self.now = 0.0

    @rule(path=paths, value=st.text(max_size=5))
    def store(self, path: str, value: str) -> None:
        self.rig.inner.put(path, value)
        self.stored[path] = value

    @rule(seconds=st.sampled_from([0.5, 1.0, 4.0, 5.0, 19.5, 20.0]))
    def wait(self, seconds: float) -> None:
        self.rig.clock.advance(seconds)
        self.now += seconds

    @rule(seconds=st.sampled_from([-3600.0, 3600.0]))
    def set_the_wall_clock(self, seconds: float) -> None:
        self.rig.clock.jump(seconds)

    @rule(failure=st.sampled_from([None, unreachable(), Unauthorized("No.")]))
    def change_the_stores_health(self, failure: SecretsError | None) -> None:
        self.failure = self.rig.inner.failure = failure

    @rule(folder=st.sampled_from(["/", "/a", "/b", "/c"]))
    def flush(self, folder: str) -> None:
        prefix = folder.rstrip("/") + "/"
        self.rig.cache.invalidate(Selection.below(folder))
        self.kept = {path: kept for path, kept in self.kept.items() if not path.startswith(prefix)}
        self.failed = {path: it for path, it in self.failed.items() if not path.startswith(prefix)}

    @rule(path=paths)
    def fetch(self, path: str) -> None:
        expected = self.predict(path)
        try:
            got: object = asyncio.run(self.rig.text(path))
        except SecretsError as error:
            got = type(error)
        assert got == expected

    def predict(self, path: str) -> object:
        kept = self.kept.get(path)
        if kept and self.now < kept.at + TTL:
            return "cache", kept.value
        error, until = self.failed.get(path, (None, 0.0))
        if error is None or self.now >= until:
            error = self.ask(path)
            if error is None:
                return "store", self.kept[path].value
        if error is StoreUnavailable and kept and self.now < kept.at + TTL + STALE:
            return "stale", kept.value
        return error

    def ask(self, path: str) -> type[SecretsError] | None:
        self.calls += 1
        if self.failure is None and path in self.stored:
            self.kept[path] = Kept(self.stored[path], self.now)
            self.failed.pop(path, None)
            return None
        error = type(self.failure) if self.failure else SecretNotFound
        if error is not StoreUnavailable:
            self.kept.pop(path, None)
        if error is not Unauthorized:
            self.failed[path] = error, self.now + NEGATIVE
        return error

    @invariant()
    def the_store_was_asked_as_often_as_predicted(self) -> None:
        statistics = self.rig.cache.statistics()
        assert self.rig.calls == self.calls == statistics.misses
        assert statistics.entries <= len(PATHS)
        assert (statistics.bytes == 0) == (statistics.entries == 0)


TestCacheMachine = CacheMachine.TestCase
TestCacheMachine.settings = settings(max_examples=30, stateful_step_count=40)
