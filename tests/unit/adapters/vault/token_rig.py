"""The tokens of one service at a model of Vault, with a clock in the test's hand."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from pydantic import SecretStr

from adapters.upstream.credentials import FixedText
from adapters.vault.login import app_role
from adapters.vault.service_tokens import ServiceTokens
from adapters.vault.token_makers import GivenToken, LoginMaker
from tests.fakes.clock import FakeClock
from tests.support.settling import settle
from tests.support.vault_logins import ROLE_ID, SECRET_ID
from tests.unit.adapters.vault.model_calls import ModelCalls, new_refusals

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.vault.token_makers import TokenMaker


class Rig:
    """A model of Vault, a clock, and the tokens of one service."""

    def __init__(self, secret_id: str = SECRET_ID, given: str | None = None) -> None:
        self.calls = ModelCalls()
        self.clock = FakeClock()
        self.logins = self.calls.model.logins
        self.refusals = new_refusals(self.clock)
        method = app_role(
            "approle", FixedText(SecretStr(ROLE_ID)), FixedText(SecretStr(f"{secret_id}\n"))
        )
        maker: TokenMaker = LoginMaker(method, "", self.calls, self.refusals, self.clock)
        if given is not None:
            maker = GivenToken(FixedText(SecretStr(given)), "", self.calls, self.clock)
        self.tokens = ServiceTokens(maker, self.clock, lambda: 0.0)

    async def token(self) -> str:
        return (await self.tokens.current()).value.get_secret_value()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.tokens.run())
        await self.settle()
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.settle()

    async def settle(self) -> None:
        await settle()
