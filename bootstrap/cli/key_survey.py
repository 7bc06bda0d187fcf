"""Which server xkeys the running replicas announce and open, found out by asking them."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.crypto.xkeys import SodiumXKeyPair
from domain.model.errors import DecryptionFailed, InvalidEntityJwt
from domain.model.messages import SecretRequest
from domain.model.replies import read_error
from domain.model.transport import Operation
from ports.transport import ChannelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.model.identity import PublicXKey
    from ports.transport import Channel

_TIMEOUT_SECONDS = 5.0
_AT_A_TIME = 8
_LEAST_ASKED = 64
_ASKED_A_REPLICA = 16
"""So often each is asked on average; that one is never asked has a chance of one in millions."""

_REPLICA = re.compile(r"\(request ([a-z2-7]{8})-[0-9a-f]+\)")
"""The id of a request begins with eight characters that its replica drew at its start."""

_PROBE = SecretRequest.key_probe().to_json()


def how_many(replicas: int) -> int:
    """Return how many requests a survey sends at least, in whole rounds after the first."""
    least = max(_LEAST_ASKED, _ASKED_A_REPLICA * replicas)
    return 1 + -(-(least - 1) // _AT_A_TIME) * _AT_A_TIME


@dataclass(frozen=True, slots=True)
class Survey:
    """What the replicas said.

    Attributes:
        announced: how often each text was given as the server's xkey.
        openers: the replicas that opened what was sealed for the key in question.
        closed: how many answers said that it does not open.
        silent: how many of the `asked` requests got no proper answer in time.
    """

    announced: Counter[str]
    openers: frozenset[str]
    closed: int
    silent: int
    asked: int


async def survey(
    channel: Channel,
    key: PublicXKey,
    replicas: int,
    advance: Callable[[int], None] = lambda _: None,
) -> Survey:
    """Ask for the announced keys, and have replicas open something that is sealed for `key`.

    NATS gives each request to any of the replicas, so it is asked many times: once alone, since
    whatever is wrong with all of them shows there, then several at a time. Silence ends it, and so
    does a replica that does not open the key: each request to it leaves a refusal in its trail.

    Args:
        replicas: how many are expected.
        advance: is called with how many requests were just answered.

    Raises:
        ChannelError: no service listens, or the connection is gone.
        NotPermittedError: NATS does not let this user ask, if the channel says so.
        MalformedReplyError: what answers is no such service.
    """
    announced: Counter[str] = Counter()
    openers: set[str] = set()
    closed = silent = 0

    async def ask() -> None:
        nonlocal closed, silent
        one_time = SodiumXKeyPair.generate()
        try:
            own_key = await channel.request(Operation.SERVER_XKEY, b"", None, _TIMEOUT_SECONDS)
            sealed = one_time.seal(_PROBE, key)
            reply = await channel.request(Operation.GET, sealed, one_time.public, _TIMEOUT_SECONDS)
        except ChannelError as error:
            if error.reason != "timeout":
                raise
            silent += 1
            return
        finally:
            advance(1)
        announced[own_key.body.decode("ascii", "replace")] += 1
        match read_error(reply.body):
            case DecryptionFailed():
                closed += 1
            case InvalidEntityJwt() as refused if found := _REPLICA.search(refused.advice):
                openers.add(found[1])
            case _:
                # Too busy, or stopping: as good as no answer.
                silent += 1

    await ask()
    asked = 1
    while not (silent or closed) and asked < how_many(replicas):
        await asyncio.gather(*(ask() for _ in range(_AT_A_TIME)))
        asked += _AT_A_TIME
    return Survey(announced, frozenset(openers), closed, silent, asked)
