"""What every secret store does: a suite for a plug-in's own tests."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import pytest

from domain.use_cases.fetch_secret import fetch_by_deadline
from wasmcloud_secrets.extension import (
    AccountKey,
    Caller,
    Claims,
    IdentityKind,
    InvalidRequest,
    PolicyError,
    SecretNotFound,
    SecretQuery,
    SecretReference,
    StoreUnavailable,
    SubjectKey,
)

if TYPE_CHECKING:
    from wasmcloud_secrets.extension import Clock, Secret, SecretLocation, SecretStore

OUTAGE_TEXT = "words-of-the-upstream"
"""What a failing server or driver says in the suite's cases: no error may repeat it."""

CALLER = Caller(
    entity=Claims(IdentityKind.COMPONENT, SubjectKey("M1"), AccountKey("A1"), "1", 0),
    host=Claims(IdentityKind.HOST, SubjectKey("N1"), AccountKey("A2"), "2", 0),
)
"""Who asks in the suite's cases: a store that answers by the caller stores its values for it."""


class SecretStoreContract(ABC):
    """Subclass it in a test module, with fixtures behind the abstract methods.

    Attributes:
        binary: whether the store can hold a binary value.
        history: whether old versions can be fetched. Where not, asking for one is SecretNotFound.
    """

    binary = True
    history = True

    @abstractmethod
    def store(self) -> SecretStore:
        """Return the store under test; the same one throughout a test."""

    @abstractmethod
    async def put(self, key: str, value: str | bytes) -> str:
        """Store a value where `locate` reads `key`, and return the version's name."""

    @abstractmethod
    def deadline(self) -> float:
        """Return a deadline comfortably ahead, in the store's monotonic seconds."""

    async def silence(self) -> Clock:
        """Let the store's server answer nothing from now on, and return the store's clock.

        A suite that does not override it skips the cases of slow servers.
        """
        pytest.skip("this suite has no server that falls silent")

    async def outage(self) -> None:
        """Let every call fail as in an outage, with `OUTAGE_TEXT` in what the server says.

        A suite that does not override it skips the cases of outages.
        """
        pytest.skip("this suite has no server that fails")

    async def pass_time(self, seconds: float) -> None:
        """Let time pass on the store's clock; to be overridden where that is a fake."""
        await asyncio.sleep(seconds)

    async def fetch(self, location: SecretLocation, version: str | None = None) -> Secret:
        query = SecretQuery(location, version, CALLER, deadline=self.deadline())
        return await self.store().fetch(query)

    async def get(self, key: str, version: str | None = None) -> Secret:
        return await self.fetch(self.store().locate(SecretReference(key)), version)

    async def test_a_stored_text_comes_back_exactly_with_its_version(self) -> None:
        version = await self.put("contract/text", "päss wörd ✓\n{}")

        secret = await self.get("contract/text")

        assert secret.value.reveal() == "päss wörd ✓\n{}"
        assert secret.version == version

    async def test_an_empty_text_is_a_value(self) -> None:
        await self.put("contract/empty", "")

        assert (await self.get("contract/empty")).value.reveal() == ""

    async def test_binary_comes_back_exactly(self) -> None:
        if not self.binary:
            pytest.skip("this store holds text only")
        await self.put("contract/binary", b"\x00\xff\xfe binary \x80")

        assert (await self.get("contract/binary")).value.reveal() == b"\x00\xff\xfe binary \x80"

    async def test_the_latest_version_is_served_when_none_is_asked_for(self) -> None:
        await self.put("contract/rotated", "old")
        newest = await self.put("contract/rotated", "new")

        secret = await self.get("contract/rotated")

        assert (secret.version, secret.value.reveal()) == (newest, "new")

    async def test_the_version_served_is_the_version_asked_for(self) -> None:
        oldest = await self.put("contract/versioned", "old")
        await self.put("contract/versioned", "new")

        if self.history:
            secret = await self.get("contract/versioned", oldest)
            assert (secret.version, secret.value.reveal()) == (oldest, "old")
        else:
            with pytest.raises(SecretNotFound):
                await self.get("contract/versioned", oldest)

    async def test_a_version_that_never_was_is_not_found(self) -> None:
        await self.put("contract/versioned", "only")

        with pytest.raises(SecretNotFound):
            await self.get("contract/versioned", "999999")

    async def test_a_version_of_another_secret_is_not_found(self) -> None:
        await self.put("contract/one", "1")
        await self.put("contract/two", "1")
        other = await self.put("contract/two", "2")

        with pytest.raises(SecretNotFound):
            await self.get("contract/one", other)

    @pytest.mark.parametrize("version", ["latest", "", "-1", "1.5", "0x1", "\u0661"])
    async def test_a_version_that_cannot_be_is_an_invalid_request(self, version: str) -> None:
        await self.put("contract/versioned", "only")

        with pytest.raises(InvalidRequest):
            await self.get("contract/versioned", version)

    async def test_a_key_nothing_is_stored_under_is_not_found(self) -> None:
        with pytest.raises(SecretNotFound) as caught:
            await self.get("contract/nothing-here")

        # A driver's exception must not hang on: it may hold the request, or what was answered.
        assert caught.value.__context__ is None

    async def test_keys_are_case_sensitive(self) -> None:
        await self.put("contract/lower", "value")

        with pytest.raises(SecretNotFound):
            await self.get("contract/LOWER")

    async def test_a_relative_and_an_absolute_spelling_of_one_secret_are_one_location(self) -> None:
        store = self.store()

        relative = store.locate(SecretReference("contract/text"))
        absolute = store.locate(SecretReference(relative.path))

        assert absolute == relative
        assert relative.path.startswith("/")

    @pytest.mark.parametrize(
        "key", ["", "/", "a/", "a//b", "//a", "../a", "a/../b", "a/./b", "a/*/b", "a\0b", "..", "."]
    )
    def test_a_key_that_could_mean_a_second_place_is_an_invalid_request(self, key: str) -> None:
        with pytest.raises(InvalidRequest):
            self.store().locate(SecretReference(key))

    def test_an_unknown_policy_property_is_refused_and_not_repeated(self) -> None:
        with pytest.raises(PolicyError) as refused:
            self.store().locate(SecretReference("contract/text", {"no_such_property": "x"}))

        assert "no_such_property" not in refused.value.advice

    async def test_concurrent_fetches_each_get_their_own_secret(self) -> None:
        for number in range(8):
            await self.put(f"contract/many-{number}", f"value {number}")

        secrets = await asyncio.gather(*(self.get(f"contract/many-{n}") for n in range(8)))

        assert [secret.value.reveal() for secret in secrets] == [f"value {n}" for n in range(8)]

    async def test_a_cancelled_fetch_leaves_the_store_usable(self) -> None:
        await self.put("contract/text", "value")
        fetch = asyncio.create_task(self.get("contract/text"))
        await asyncio.sleep(0)
        fetch.cancel()
        await asyncio.gather(fetch, return_exceptions=True)

        assert (await self.get("contract/text")).value.reveal() == "value"

    async def test_a_call_that_the_server_does_not_answer_ends_at_its_deadline(self) -> None:
        await self.put("contract/text", "value")
        location = self.store().locate(SecretReference("contract/text"))
        clock = await self.silence()
        query = SecretQuery(location, None, CALLER, deadline=clock.monotonic() + 0.5)
        fetch = asyncio.create_task(fetch_by_deadline(self.store(), query, clock))

        await self.pass_time(0.25)
        assert not fetch.done()
        await self._end(fetch, steps=4)

        _check_failure(fetch)

    async def test_a_call_given_up_in_silence_ends_at_once(self) -> None:
        await self.put("contract/text", "value")
        location = self.store().locate(SecretReference("contract/text"))
        await self.silence()
        fetch = asyncio.create_task(self.fetch(location))

        await self.pass_time(0.1)
        assert not fetch.done()
        fetch.cancel()
        await asyncio.wait({fetch}, timeout=5)

        assert fetch.cancelled()

    async def test_an_outage_is_a_typed_error_in_the_service_s_own_words(self) -> None:
        await self.put("contract/text", "value")
        location = self.store().locate(SecretReference("contract/text"))
        await self.outage()
        fetch = asyncio.create_task(self.fetch(location))

        await self._end(fetch, steps=40)

        _check_failure(fetch)

    async def _end(self, fetch: asyncio.Task[Secret], steps: int) -> None:
        for _ in range(steps):
            if not fetch.done():
                await self.pass_time(0.25)
        await asyncio.wait({fetch}, timeout=5)


def _check_failure(fetch: asyncio.Task[Secret]) -> None:
    """Check that a call failed with `StoreUnavailable` alone."""
    assert fetch.done()
    error = fetch.exception()
    assert isinstance(error, StoreUnavailable)
    # A driver's exception must not hang on: it may hold the request, or what was answered.
    assert (error.__context__, error.__cause__) == (None, None)
    assert OUTAGE_TEXT not in f"{error!r} {error.reason} {error.upstream_request_id}"
    assert error.advice.endswith(".")
