"""A replica that says what a test sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.console.sources import (
    Check,
    Judgement,
    Policy,
    Question,
    ReplicaFacts,
    Rule,
    ServerKeys,
    Sources,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from prometheus_client import Metric

NOW = 1_800_000_000.0


class FakeSources(Sources):
    """Every text of it is `text`, but for those that are constants of the code."""

    def __init__(self, text: str = "plain", *, workers: int = 1) -> None:
        self.facts = ReplicaFacts(
            version="1.2.3",
            replica=f"{text}:1",
            worker=0,
            workers=workers,
            first_port=9090,
            store=text,
            transport=text,
            backend=text,
            addresses={"subjects": text},
            started_at=NOW - 60,
        )
        self.keys = ServerKeys(f"X1{text}", (f"X2{text}",))
        self.verdicts = [Check("store", ok=False, advice=f"Mend {text}.", age_seconds=3.0)]
        self.metrics: list[Metric] = []
        self.rules = Policy(
            origin="policy_file",
            mode="enforce",
            digest="d" * 64,
            loaded_at=NOW - 30,
            issuers=(("A" * 56, text),),
            grants=(Rule(text, 4),),
            denials=(Rule(f"not {text}", 9),),
            revoked=2,
            problems=(f"line 3: {text}",),
            warnings=(f"line 4: {text}",),
        )
        self.judgement = Judgement(
            allowed=False, reason="key_not_granted", lines=(f"Refused: {text}",), place=f"/{text}"
        )
        self.questions: list[Question] = []

    @override
    def now(self) -> float:
        return NOW

    @override
    async def checks(self) -> Sequence[Check]:
        return self.verdicts

    @override
    def figures(self) -> Iterable[Metric]:
        return self.metrics

    @override
    def policy(self) -> Policy:
        return self.rules

    @override
    async def judge(self, question: Question) -> Judgement:
        self.questions.append(question)
        return self.judgement
