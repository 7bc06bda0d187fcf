"""Signed audit events: what is changed, forged, taken out or put in shows."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from adapters.audit import verifying
from adapters.audit.file import AuditFile
from adapters.audit.signing import LineSigner, public_key_of
from adapters.audit.verifying import KeyUnusableError, TrailVerifier
from adapters.crypto.xkeys import SodiumXKeyPair
from tests.contracts.audit import ANSWERED, REFUSED, numbered
from tests.fakes.clock import FakeClock
from tests.support.audit_text import audit_line

if TYPE_CHECKING:
    from pathlib import Path

SEED, OTHER = b"s" * 32, b"o" * 32
KEY = public_key_of(SEED)


def signed(count: int, signer: LineSigner | None = None) -> list[bytes]:
    signer = signer or LineSigner(SEED)
    return [signer.sign(audit_line(event)) for event in numbered(count)]


def problems(lines: list[bytes], *keys: str) -> list[str]:
    verifier = TrailVerifier(keys or (KEY,))
    found = [problem for line in lines if (problem := verifier.check(line))]
    return found + verifier.missing()


def test_a_signed_event_is_the_event_with_four_members_more() -> None:
    (line,) = signed(1)
    event = json.loads(line)

    assert event["link"] == 1
    assert event["previous"] == "0" * 32
    plain = json.loads(audit_line(numbered(1)[0]))
    assert {name: event[name] for name in plain} == plain
    assert set(event) - set(plain) == {"chain", "link", "previous", "signature"}


def test_a_trail_as_it_was_written_has_no_problem() -> None:
    assert problems(signed(50)) == []


@pytest.mark.parametrize("place", [0, 7, 19])
def test_an_event_that_was_changed_shows(place: int) -> None:
    lines = signed(20)
    lines[place] = lines[place].replace(b'"granted"', b'"grantee"')

    found = problems(lines)
    assert found[0] == "was changed, or signed with another key"


def test_no_byte_of_an_event_can_be_changed() -> None:
    (line,) = signed(1)
    for place in range(len(line)):
        changed = bytearray(line)
        changed[place] ^= 1
        assert problems([bytes(changed)])


def test_an_event_that_was_put_in_shows() -> None:
    lines = signed(3)
    lines.insert(1, audit_line(REFUSED))
    lines.insert(2, LineSigner(OTHER).sign(audit_line(REFUSED)))

    assert problems(lines) == ["is not signed", "was changed, or signed with another key"]


def test_events_that_were_taken_out_show() -> None:
    lines = signed(20)
    del lines[4:7]
    del lines[10]

    (first, second) = problems(lines)
    assert first.startswith("events 5 to 7 of chain")
    assert second.startswith("events 14 to 14 of chain")


def test_the_first_events_may_have_been_removed_and_one_may_stand_there_twice() -> None:
    lines = signed(20)[5:]
    verifier = TrailVerifier((KEY,))
    for line in (*lines, lines[3]):
        assert verifier.check(line) is None

    (chain,) = verifier.chains.values()
    assert (chain.first, chain.last) == (6, 20)
    assert verifier.missing() == []


def test_an_event_that_comes_late_is_not_missing() -> None:
    lines = signed(200)
    random.Random(7).shuffle(lines)

    assert problems(lines) == []


def test_an_event_that_is_put_in_again_or_moved_is_counted() -> None:
    lines = signed(20)
    verifier = TrailVerifier((KEY,))
    for line in (*lines[:8], lines[2], lines[2], lines[9], lines[8], *lines[10:]):
        assert verifier.check(line) is None

    (chain,) = verifier.chains.values()
    assert (chain.repeated, chain.late) == (2, 1)
    assert verifier.missing() == []


def test_chains_of_several_processes_are_told_apart() -> None:
    one, other = LineSigner(SEED), LineSigner(SEED)
    lines = [signer.sign(audit_line(event)) for event in numbered(9) for signer in (one, other)]
    assert problems(lines) == []

    del lines[4]
    (problem,) = problems(lines)
    assert problem.startswith("events 3 to 3 of chain")


def test_a_chain_that_was_begun_again_with_the_key_contradicts_the_first() -> None:
    signer, twin = LineSigner(SEED), LineSigner(SEED)
    twin._chain = signer._chain
    lines = [signer.sign(audit_line(ANSWERED)), twin.sign(audit_line(REFUSED))]
    assert problems(lines) == ["contradicts another event 1 of its chain"]

    lines = [signer.sign(audit_line(ANSWERED)), twin.sign(audit_line(REFUSED))]
    lines[1] = twin.sign(audit_line(REFUSED))
    assert problems(lines) == ["does not follow event 2 of its chain"]


def test_events_of_both_keys_of_a_rotation_are_checked_with_both() -> None:
    lines = signed(3) + signed(3, LineSigner(OTHER))

    assert problems(lines, KEY, public_key_of(OTHER)) == []
    assert len(problems(lines)) == 3


def test_memory_stays_bounded_in_a_long_trail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "REMEMBERED", bound := 64)
    verifier = TrailVerifier((KEY,))
    signer = LineSigner(SEED)
    for _ in range(bound + 50):
        assert verifier.check(signer.sign(b'{"event":"x"}')) is None

    (chain,) = verifier.chains.values()
    assert len(chain._digests) == bound
    assert verifier.missing() == []


@pytest.mark.parametrize("key", ["", "x", "A" * 44, "*" * 43])
def test_what_is_no_public_key_is_refused_with_advice(key: str) -> None:
    with pytest.raises(KeyUnusableError, match="43 characters"):
        TrailVerifier((key,))


def test_the_public_key_follows_from_the_server_xkey_and_shows_nothing_of_it() -> None:
    pair = SodiumXKeyPair.generate()
    key = public_key_of(pair.derive(b"purpose"))

    assert key == public_key_of(SodiumXKeyPair.from_seed(pair.seed_text()).derive(b"purpose"))
    assert len(key) == 43
    assert "s" * 8 not in repr(LineSigner(SEED))


async def test_a_file_keeps_signed_events_through_its_buffer(tmp_path: Path) -> None:
    file = AuditFile(tmp_path / "a", FakeClock(), sign=LineSigner(SEED).sign)
    file.record(replace(ANSWERED, key='a\n"b'))
    await file.start()
    for event in numbered(100):
        file.record(event)
    await file.aclose()

    lines = (tmp_path / "a").read_bytes().splitlines()
    assert len(lines) == 101
    assert problems(lines) == []
