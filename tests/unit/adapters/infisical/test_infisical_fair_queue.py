"""The order of service, against a model of a few lines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from operator import ne

from hypothesis import given
from hypothesis import strategies as st

from adapters.infisical.fair_queue import FairQueue


@dataclass(eq=False)
class Somebody:
    folder: str
    secret: tuple[str, int]
    number: int


class Model:
    """One flat round of secrets; the first whose folder may go on is next."""

    def __init__(self) -> None:
        self.round: list[tuple[tuple[str, int], list[Somebody]]] = []

    def push(self, who: Somebody) -> None:
        for secret, waiting in self.round:
            if secret == who.secret:
                waiting.append(who)
                return
        self.round.append((who.secret, [who]))

    def pop(self, barred: str | None) -> Somebody | None:
        for index, (secret, waiting) in enumerate(self.round):
            if secret[0] != barred:
                del self.round[index]
                who = waiting.pop(0)
                if waiting:
                    self.round.append((secret, waiting))
                return who
        return None

    def remove(self, who: Somebody) -> None:
        for index, (secret, waiting) in enumerate(self.round):
            if secret == who.secret:
                waiting.remove(who)
                if not waiting:
                    del self.round[index]
                return


folders = st.sampled_from(["a", "b", "c"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("push"), folders, st.integers(0, 3)),
        st.tuples(st.just("pop"), st.none() | folders, st.just(0)),
        st.tuples(st.just("remove"), st.none(), st.integers(0, 100)),
    ),
    max_size=60,
)


@given(steps)
def test_the_queue_serves_as_the_model_does(script: list[tuple[str, str | None, int]]) -> None:
    queue: FairQueue[Somebody] = FairQueue()
    model = Model()
    inside: list[Somebody] = []
    for number, (verb, folder, choice) in enumerate(script):
        if verb == "push" and folder is not None:
            who = Somebody(folder, (folder, choice), number)
            ahead = queue.ahead(who.folder, who.secret)
            queue.push(who)
            model.push(who)
            inside.append(who)
            assert list(queue.in_order()).index(who) == ahead
        elif verb == "pop":
            barred = folder
            popped = queue.pop(partial(ne, barred))
            assert popped is model.pop(barred)
            if popped is not None:
                inside.remove(popped)
                assert not queue.remove(popped)
        elif inside:
            who = inside.pop(choice % len(inside))
            assert queue.remove(who)
            model.remove(who)
        assert len(queue) == len(inside)
        assert queue.shared == (len(inside) > len({who.secret for who in inside}))
    expected = list(queue.in_order())
    in_folders = dict(queue.by_folder())
    assert set(in_folders) == {who.folder for who in inside}
    ranked = sorted(entry for waiters in in_folders.values() for entry in list(waiters))
    assert [who for *_, who in ranked] == expected
    assert [queue.pop(lambda _: True) for _ in inside] == expected
    assert queue.pop(lambda _: True) is None
