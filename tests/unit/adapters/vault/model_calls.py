"""Calls that a model of Vault answers, without a network."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, final

from typing_extensions import override

from adapters.upstream.lockout import LockoutGuard
from adapters.upstream.message import UpstreamResponse
from adapters.vault.refusals import LOCKOUT, Refusals
from adapters.vault.wire import Answer, Calls
from tests.fakes.peer_bus import FakePeerBus
from tests.support.infisical_model import Call as SeenCall
from tests.support.vault_model import VaultModel
from tests.support.vault_recordings import recording

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.vault.wire import Call
    from ports.clock import Clock
    from ports.peer_bus import PeerBus


@final
class ModelCalls(Calls):
    """Asks the model.

    Attributes:
        model: the server's behaviour.
        instead: answers that come before the model's: names of recordings, or errors to raise.
        gate: calls wait here while it is cleared.
        made: every call, as the adapter asked for it.
    """

    def __init__(self) -> None:
        self.model = VaultModel()
        self.instead: list[str | Exception] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.made: list[Call] = []

    @override
    async def call(self, call: Call, deadline: float) -> Answer:
        self.made.append(call)
        await self.gate.wait()
        if self.instead:
            instead = self.instead.pop(0)
            if isinstance(instead, Exception):
                raise instead
            return Answer.of(recording(instead).response)
        target = call.path + ("" if call.version is None else f"?version={call.version}")
        headers = {name.lower(): text for name, text in call.headers.items()}
        body = b"" if call.body is None else json.dumps(dict(call.body)).encode()
        result = self.model.answer(SeenCall(call.method, target, headers, body))
        names, content = result.encoded()
        return Answer.of(UpstreamResponse(result.status, names, content))


def new_refusals(clock: Clock, bus: PeerBus | None = None, file: Path | None = None) -> Refusals:
    """Return what one process remembers of refused logins; without a bus it is alone."""
    return Refusals(LockoutGuard(LOCKOUT, clock, lambda: 0.0), bus or FakePeerBus(), file)
