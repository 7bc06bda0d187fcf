"""What every cache of secrets does: run by the fake and by the real one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from domain.model.reference import SecretLocation, SecretQuery
from tests.contracts.secret_store import CALLER

if TYPE_CHECKING:
    from domain.model.identity import Caller
    from ports.secret_store import CachedSecrets

PROD, DEV = (("environment", "prod"),), (("environment", "dev"),)
OTHER_CALLER = replace(CALLER, application="another")


class CachedSecretsContract(ABC):
    """Subclass it in a test module, with fixtures behind the abstract methods.

    Attributes:
        shared: whether all callers share what is cached.
    """

    shared = True

    @abstractmethod
    def cache(self) -> CachedSecrets:
        """Return the cache under test; the same one throughout a test."""

    @abstractmethod
    async def keep(self, query: SecretQuery, value: str | bytes) -> str:
        """Have that value cached for the query, and return the version's name."""

    @abstractmethod
    async def expire(self) -> None:
        """Let everything that is cached become too old."""

    def query(
        self,
        path: str = "/contract/KEY",
        scope: tuple[tuple[str, str], ...] = PROD,
        version: str | None = None,
        caller: Caller = CALLER,
    ) -> SecretQuery:
        return SecretQuery(SecretLocation(path, scope), version, caller, deadline=1e12)

    async def test_nothing_is_cached_that_was_never_kept(self) -> None:
        assert self.cache().cached(self.query()) is None

    @pytest.mark.parametrize("value", ["päss ✓", "", b"\x00\xff", b""])
    async def test_a_kept_secret_comes_back_with_its_version(self, value: str | bytes) -> None:
        version = await self.keep(self.query(), value)

        secret = self.cache().cached(self.query())

        assert secret is not None
        assert (secret.version, secret.value.reveal()) == (version, value)

    async def test_a_kept_secret_comes_back_more_than_once_and_after_its_deadline(self) -> None:
        await self.keep(self.query(), "value")

        late = self.query()._replace(deadline=0.0)

        assert [self.cache().cached(late) is None for _ in range(2)] == [False, False]

    async def test_another_path_scope_version_or_encoding_is_another_secret(self) -> None:
        await self.keep(self.query(), "value")
        encoded = self.query().location._replace(encoding="base64")

        others = (
            self.query("/contract/OTHER"),
            self.query(scope=DEV),
            self.query(version="1"),
            self.query()._replace(location=encoded),
        )

        assert [self.cache().cached(query) for query in others] == [None] * len(others)

    async def test_callers_share_what_the_store_answers_all_of_them(self) -> None:
        await self.keep(self.query(), "value")

        found = self.cache().cached(self.query(caller=OTHER_CALLER))

        assert (found is not None) is self.shared

    async def test_what_is_too_old_is_not_cached(self) -> None:
        await self.keep(self.query(), "value")

        await self.expire()

        assert self.cache().cached(self.query()) is None
