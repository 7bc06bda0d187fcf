"""Control messages: accepted from holders of the key, on their subject, in their time, once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.crypto.control_messages import (
    MAX_BYTES,
    WINDOW_SECONDS,
    ControlCodec,
    ControlMessageRefusedError,
)
from adapters.crypto.xkeys import SodiumXKeyPair
from tests.fakes.clock import FakeClock

KEY, OTHER = b"k" * 32, b"o" * 32
SUBJECT = "wasmcloud.secrets.control.infisical.login_refused"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def refused(codec: ControlCodec, message: bytes, subject: str = SUBJECT) -> str:
    with pytest.raises(ControlMessageRefusedError) as refusal:
        codec.unwrap(subject, message)
    return str(refusal.value)


@given(st.binary(max_size=200))
def test_any_body_comes_out_as_it_went_in(body: bytes) -> None:
    clock = FakeClock()
    message = ControlCodec([KEY], clock).wrap(SUBJECT, body)

    assert ControlCodec([KEY], clock).unwrap(SUBJECT, message) == body


def test_replicas_understand_each_other_while_the_server_xkey_is_rotated(clock: FakeClock) -> None:
    before, after = ControlCodec([KEY, OTHER], clock), ControlCodec([OTHER, KEY], clock)

    assert before.unwrap(SUBJECT, after.wrap(SUBJECT, b"new")) == b"new"
    assert after.unwrap(SUBJECT, before.wrap(SUBJECT, b"old")) == b"old"


def test_a_message_made_without_the_key_is_forged(clock: FakeClock) -> None:
    codec = ControlCodec([KEY], clock)

    assert refused(codec, ControlCodec([OTHER], clock).wrap(SUBJECT, b"body")) == "forged"


def test_a_message_made_for_another_subject_is_forged(clock: FakeClock) -> None:
    codec = ControlCodec([KEY], clock)
    message = codec.wrap("wasmcloud.secrets.control.infisical.invalidate", b"body")

    assert refused(codec, message) == "forged"


def test_no_byte_of_a_message_can_be_changed(clock: FakeClock) -> None:
    codec = ControlCodec([KEY], clock)
    message = codec.wrap(SUBJECT, b"body")

    for place in range(len(message)):
        changed = bytearray(message)
        changed[place] ^= 1
        assert refused(codec, bytes(changed)) in {"malformed", "forged"}
    assert codec.unwrap(SUBJECT, message) == b"body"


def test_a_message_that_was_taken_is_not_taken_again(clock: FakeClock) -> None:
    codec = ControlCodec([KEY], clock)
    message = codec.wrap(SUBJECT, b"body")
    codec.unwrap(SUBJECT, message)

    assert refused(codec, message) == "repeated"


@pytest.mark.parametrize("seconds", [WINDOW_SECONDS + 1, -WINDOW_SECONDS - 1, 1e6])
def test_a_message_of_another_time_is_refused(clock: FakeClock, seconds: float) -> None:
    message = ControlCodec([KEY], clock).wrap(SUBJECT, b"body")
    later = FakeClock(clock.now() + seconds)

    assert refused(ControlCodec([KEY], later), message) == "outdated"


@pytest.mark.parametrize(
    "message", [b"", b"body", b"wsc1.1.2.3\nbody", b"{}", b"x" * (MAX_BYTES + 1)]
)
def test_anything_else_is_malformed(clock: FakeClock, message: bytes) -> None:
    assert refused(ControlCodec([KEY], clock), message) == "malformed"


def test_a_long_body_is_malformed_before_it_is_read(clock: FakeClock) -> None:
    codec = ControlCodec([KEY], clock)

    assert refused(codec, codec.wrap(SUBJECT, b"x" * MAX_BYTES)) == "malformed"


def test_keys_of_two_purposes_and_two_xkeys_differ_and_show_no_seed() -> None:
    pair, other = SodiumXKeyPair.generate(), SodiumXKeyPair.generate()
    keys = {pair.derive(b"one"), pair.derive(b"two"), other.derive(b"one")}

    assert len(keys) == 3
    assert pair.derive(b"one") == SodiumXKeyPair.from_seed(pair.seed_text()).derive(b"one")
    assert {len(key) for key in keys} == {32}
    assert "k" * 8 not in repr(ControlCodec([KEY], FakeClock()))
