"""Whatever went before: once the store works again, every call is served within seconds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adapters.breaker.circuit import BreakerConfig, Call, Circuit, Outcome, State

CONFIG = BreakerConfig()
HEALED_WITHIN = CONFIG.probe_seconds + CONFIG.longest_pause_seconds

steps = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), st.integers(0, 5)),
        st.tuples(st.sampled_from(list(Outcome)), st.integers(0, 50)),
        st.tuples(st.just("wait"), st.sampled_from([0, 1, 5, 20, 100])),
    ),
    max_size=80,
)


def play(script: list[tuple[str, int]], draw: float) -> tuple[Circuit, float]:
    """Run a script, checking what holds at every step."""
    circuit, now = Circuit(CONFIG, lambda: draw, 0.0), 0.0
    calls: list[Call] = []
    for verb, number in script:
        if verb == "begin":
            state = circuit.state
            call = circuit.admit(number, now)
            assert call is not None or state is not State.CLOSED
            if call is not None:
                calls.append(call)
                assert call.is_probe == (state is not State.CLOSED)
        elif verb == "wait":
            now += number / 10
        elif calls:
            call = calls.pop(number % len(calls))
            circuit.end(call, Outcome(verb), now)
            if verb == "answered":
                assert circuit.state is State.CLOSED
        assert 0 <= circuit.retry_in(now) <= CONFIG.longest_pause_seconds
    return circuit, now


@given(steps, st.floats(0, 1, exclude_max=True))
def test_a_store_that_works_again_is_found_in_seconds(
    script: list[tuple[str, int]], draw: float
) -> None:
    circuit, now = play(script, draw)
    back = now
    while now - back <= HEALED_WITHIN:
        call = circuit.admit("anything", now)
        if call is not None:
            circuit.end(call, Outcome.ANSWERED, now)
            assert circuit.state is State.CLOSED
            return
        now += 0.05
    raise AssertionError("no call was let through")


@given(steps)
def test_without_a_failure_it_never_opens(script: list[tuple[str, int]]) -> None:
    circuit, _ = play([step for step in script if step[0] != "failed"], 0.0)

    assert circuit.opened_count == 0


@given(steps, st.integers(0, 100))
def test_while_it_is_not_closed_one_call_at_a_time_is_let_through_and_one_untested_location(
    script: list[tuple[str, int]], wait: int
) -> None:
    circuit, now = play(script, 0.0)
    if circuit.state is not State.CLOSED:
        admitted = [circuit.admit(n, now + wait / 10) for n in range(10)]
        untested = [call.is_untested for call in admitted if call is not None]
        assert untested in ([], [False], [True], [False, True])
