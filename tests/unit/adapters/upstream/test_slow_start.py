"""How many calls may be in flight after a server refused some."""

from __future__ import annotations

from adapters.upstream.bulkhead import GROW_SECONDS, SlowStart


def answer(window: SlowStart, count: int, now: float) -> list[int]:
    limits = []
    for _ in range(count):
        window.answered(now, now)
        limits.append(window.limit)
    return limits


def test_while_nothing_is_refused_all_may_be_sent() -> None:
    window = SlowStart(7)
    answer(window, 3, now=1.0)

    assert window.limit == 7


def test_after_a_refusal_calls_come_back_one_by_one_up_to_half_of_what_was_sent() -> None:
    window = SlowStart(20)
    window.refused(sent_at=1.0, in_flight=9, now=1.1)

    assert window.limit == 1
    assert answer(window, 5, now=2.5) == [2, 3, 4, 4, 4]


def test_then_the_limit_rises_by_one_in_a_while() -> None:
    window = SlowStart(3)
    window.refused(sent_at=1.0, in_flight=2, now=1.0)
    limits = [answer(window, 3, now=1.5 + step * GROW_SECONDS) for step in range(4)]

    assert limits == [[1, 1, 1], [2, 2, 2], [3, 3, 3], [3, 3, 3]]


def test_refusals_of_calls_that_were_sent_together_count_as_one() -> None:
    window = SlowStart(20)
    for in_flight in range(16, 0, -1):
        window.refused(sent_at=1.0, in_flight=in_flight, now=1.5)

    assert answer(window, 9, now=3.0)[-1] == 8


def test_an_answer_to_a_call_of_before_the_refusal_says_nothing() -> None:
    window = SlowStart(20)
    window.refused(sent_at=1.0, in_flight=10, now=1.2)
    window.answered(sent_at=1.1, now=1.3)

    assert window.limit == 1


def test_the_next_refusal_lowers_it_again() -> None:
    window = SlowStart(20)
    window.refused(sent_at=1.0, in_flight=20, now=1.0)
    answer(window, 20, now=3.0)
    window.refused(sent_at=4.0, in_flight=5, now=4.0)

    assert answer(window, 9, now=5.0)[-1] == 2
