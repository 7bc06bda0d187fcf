"""The fuzzer itself: that it runs, and that it would notice."""

from __future__ import annotations

import random
from contextlib import closing
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from adapters.audit.publish_acks import PublishAcks
from domain.model.patterns import Glob
from domain.use_cases.answer_request import AnswerRequest
from fuzz.jetstream import JetStreamSession
from fuzz.manifests import ManifestSession
from fuzz.patterns import PatternSession
from fuzz.policies import PolicySession
from fuzz.session import Session
from tests.adversarial.defended_core import VALUE

if TYPE_CHECKING:
    from domain.model.transport import Reply, Request
    from tests.adversarial.defended_core import LogText

ATTACKS = 500


def run(session: Session) -> None:
    generator = random.Random(5)
    for _ in range(ATTACKS):
        session.attack(generator.randbytes(384))


def test_mutated_requests_get_one_reply_and_one_clean_record_each(log: LogText) -> None:
    with closing(Session()) as session:
        run(session)

    assert session.sent == ATTACKS
    assert session.outcomes["secret"] > 10
    assert len(session.outcomes) > 12
    assert log.getvalue() == ""  # the session took logging over


def test_damaged_policy_files_are_read_whole_or_refused_in_printable_words() -> None:
    session = PolicySession()
    generator = random.Random(7)
    for _ in range(ATTACKS):
        session.attack(generator.randbytes(384))

    assert session.outcomes["read"] > ATTACKS // 20
    assert len(session.outcomes) > 10


def test_patterns_agree_with_their_expressions() -> None:
    session = PatternSession()
    generator = random.Random(7)
    for _ in range(20 * ATTACKS):
        session.attack(generator.randbytes(64))

    assert session.outcomes["text matched"] > 10
    assert session.outcomes["path matched"] > 10


def run_jetstream() -> JetStreamSession:
    generator = random.Random(7)
    with closing(JetStreamSession()) as session:
        for _ in range(3 * ATTACKS):
            session.attack(generator.randbytes(384))
    return session


def test_damaged_answers_of_jetstream_are_read_or_refused_as_typed_failures(log: LogText) -> None:
    del log  # puts logging back after the session
    outcomes = run_jetstream().outcomes

    assert outcomes["secret: read"] > 10
    assert outcomes["secret: answer_malformed"] > 10
    assert outcomes["acknowledgement: kept"] > 10
    assert outcomes["trail: read"] > 10


def test_an_acknowledgement_of_another_stream_is_noticed(
    log: LogText, monkeypatch: pytest.MonkeyPatch
) -> None:
    del log
    monkeypatch.setattr(PublishAcks, "_is_kept", lambda *_: True)

    with pytest.raises((AssertionError, KeyError)):
        run_jetstream()


def test_damaged_manifests_and_workloads_are_checked_or_refused_in_printable_words() -> None:
    session = ManifestSession()
    generator = random.Random(7)
    for _ in range(ATTACKS):
        session.attack(generator.randbytes(384))

    assert session.outcomes["manifest read"] > ATTACKS // 20
    assert session.outcomes["workload read"] > 10
    assert len(session.outcomes) > 10


def test_a_pattern_that_misses_a_text_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Glob, "matches", lambda glob, text: glob.text == text)

    with pytest.raises(AssertionError, match="expression"):
        test_patterns_agree_with_their_expressions()


class Leaking(AnswerRequest):
    """Answers as the core does, with the value in clear beside the box."""

    @override
    async def handle(self, request: Request) -> Reply:
        reply = await super().handle(request)
        if reply.response_xkey is None:
            return reply
        return type(reply)(reply.body + VALUE.encode(), reply.response_xkey)


class Stumbling(AnswerRequest):
    """Fails unexpectedly, as a parser with a bug would."""

    @override
    def _ask(self, request: Request, record: Any) -> Any:
        del request, record
        raise IndexError


@pytest.mark.parametrize("defect", [Leaking, Stumbling])
def test_a_planted_defect_is_noticed(log: LogText, defect: type[AnswerRequest]) -> None:
    del log  # puts logging back after the session
    with closing(Session()) as session:
        for core in session.cores:
            parts = {
                part.name: getattr(core.answer, part.name)
                for part in fields(core.answer)
                if part.init
            }
            core.answer = defect(**parts)

        with pytest.raises(AssertionError):
            run(session)
