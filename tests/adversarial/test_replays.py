"""Requests sent once more, as they were or respelled."""

from __future__ import annotations

import pytest

from adapters.crypto.nkeys_text import decode_public
from adapters.crypto.xkeys import SodiumXKeyPair
from domain.model.errors import DecryptionFailed, InvalidXKey, OtherError
from domain.model.secret import Secret
from tests.adversarial.defended_core import VALUE, DefendedCore, LogText
from tests.adversarial.sealed_requests import PLAIN, xkey
from tests.fakes.clock import FakeClock


async def test_a_replay_under_a_respelled_sender_is_refused(
    core: DefendedCore, host: SodiumXKeyPair
) -> None:
    """X25519 ignores the top bit: the same body would open again under another name."""
    sealed = host.seal(PLAIN, core.server.public)
    assert isinstance(core.opened(await core.handle(sealed, host.public), host), Secret)
    point = int.from_bytes(decode_public(host.public)[1], "little")

    respelled = xkey(point | 1 << 255)

    assert isinstance(await core.refused(sealed, respelled), InvalidXKey)


async def test_a_replay_is_refused_and_recorded(core: DefendedCore, host: SodiumXKeyPair) -> None:
    sealed = host.seal(PLAIN, core.server.public)
    first = core.opened(await core.handle(sealed, host.public), host)

    refused = await core.refused(sealed, host.public)

    assert isinstance(first, Secret)
    assert isinstance(refused, OtherError)
    assert core.record["reason"] == "replayed"
    assert core.fetches == 1


async def test_a_replay_of_a_refused_request_is_refused_all_the_same(
    core: DefendedCore, host: SodiumXKeyPair
) -> None:
    sealed = host.seal(b"no request", core.server.public)
    await core.refused(sealed, host.public)

    assert isinstance(await core.refused(sealed, host.public), OtherError)


async def test_a_damaged_copy_does_not_use_up_the_real_request(
    core: DefendedCore, host: SodiumXKeyPair
) -> None:
    """A client that sees a request in transit must not be able to make it a replay."""
    sealed = host.seal(PLAIN, core.server.public)
    await core.refused(sealed[:-1] + bytes([sealed[-1] ^ 1]), host.public)

    assert isinstance(core.opened(await core.handle(sealed, host.public), host), Secret)


async def test_a_replay_within_the_window_is_refused_however_many_seconds_passed(
    log: LogText, host: SodiumXKeyPair
) -> None:
    clock = FakeClock()
    core = DefendedCore(log, clock=clock)
    sealed = host.seal(PLAIN, core.server.public)
    await core.handle(sealed, host.public)

    for _ in range(5):
        clock.advance(59)
        assert isinstance(await core.refused(sealed, host.public), OtherError)


async def test_a_replay_after_the_window_is_sealed_for_the_first_hosts_key_alone(
    log: LogText, host: SodiumXKeyPair
) -> None:
    """Not stopped by the guard, and useless: the answer opens with the host's key only."""
    clock = FakeClock()
    core = DefendedCore(log, clock=clock)
    sealed = host.seal(PLAIN, core.server.public)
    await core.handle(sealed, host.public)
    clock.advance(601)

    reply = await core.handle(sealed, host.public)

    assert VALUE.encode() not in reply.body
    thief = SodiumXKeyPair.generate()
    with pytest.raises(DecryptionFailed):
        core.opened(reply, thief)
