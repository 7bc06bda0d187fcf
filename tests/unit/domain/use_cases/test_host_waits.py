"""How long a host may wait in one start, and what ends a start."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from typing_extensions import override

from domain.model.authenticated_request import AskedSecret
from domain.model.errors import RateLimited, SecretNotFound, StoreUnavailable
from domain.model.identity import AccountKey, Caller, IdentityKind, SubjectKey
from domain.use_cases.host_waits import MAX_HOSTS, HostWaits, Wait
from ports.secret_store import StoreHealth
from tests.fakes.token_verifier import fake_claims

LIMIT = 8.0
DOWN = StoreUnavailable("down")


class Health(StoreHealth):
    def __init__(self) -> None:
        self.down = False

    @property
    @override
    def is_down(self) -> bool:
        return self.down


def caller(host: str = "N1", entity: str = "M1", issuer: str = "A1") -> Caller:
    claims = fake_claims()
    own = fake_claims(IdentityKind.HOST)
    return Caller(
        type(claims)(claims.kind, SubjectKey(entity), claims.issuer, "", 0),
        type(own)(own.kind, SubjectKey(host), AccountKey(issuer), "", 0),
    )


@dataclass
class Hosts:
    """Hosts that ask one secret after the other."""

    seconds: float = 5.0
    health: Health = field(default_factory=Health)
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.waits = HostWaits(self.seconds, self.health)

    def begin(self, key: str, who: Caller | None = None) -> Wait:
        return self.waits.begin(who or caller(), AskedSecret(key), self.now, LIMIT)

    def ask(
        self,
        key: str,
        takes: float,
        error: BaseException | None = None,
        who: Caller | None = None,
    ) -> float:
        """Ask and wait, as long as it takes but no longer than allowed; return what was allowed."""
        wait = self.begin(key, who)
        late = takes > wait.seconds
        self.now += min(takes, wait.seconds)
        self.waits.end(wait, self.now, DOWN if late else error)
        return wait.seconds


def hung(hosts: Hosts, count: int) -> float:
    before = hosts.now
    for number in range(count):
        hosts.ask(f"K{number}", takes=60)
    return hosts.now - before


@pytest.mark.parametrize("seconds", [1.0, 5.0, 7.5])
def test_a_store_that_hangs_costs_one_start_no_more_than_its_time(seconds: float) -> None:
    assert hung(Hosts(seconds), 10) <= seconds
    assert hung(Hosts(seconds), 1) >= 0.8 * seconds


def test_a_store_that_answers_ever_so_slowly_costs_no_more_either() -> None:
    hosts = Hosts()
    before = hosts.now

    allowed = [hosts.ask(f"K{number}", takes=2.0) for number in range(4)]

    assert allowed[:3] == pytest.approx([4.5, 2.5, 0.5])
    assert hosts.now - before <= 5


def test_many_secrets_that_each_come_quickly_are_no_outage() -> None:
    hosts = Hosts()

    allowed = [hosts.ask(f"K{number}", takes=0.2) for number in range(100)]

    assert min(allowed) == pytest.approx(0.5)


def test_another_start_gets_all_of_its_time_again() -> None:
    hosts = Hosts()
    hosts.ask("A", takes=60)

    for_another_component = hosts.ask("A", takes=60, who=caller(entity="M2"))
    from_another_host = hosts.ask("A", takes=60, who=caller(host="N2"))
    hosts.now += 1.0
    tried_again = hosts.ask("A", takes=60, who=caller(host="N2"))

    assert for_another_component == from_another_host == tried_again == pytest.approx(4.5)


def test_what_a_host_asks_at_once_after_a_refusal_belongs_to_the_same_start() -> None:
    """As the links of a provider do, which may share a secret."""
    hosts = Hosts()
    hosts.ask("URL", takes=60)

    assert hosts.ask("URL", takes=60) == hosts.ask("OTHER", takes=60) == pytest.approx(0.05)


def test_a_secret_asked_for_again_after_an_answer_begins_another_start() -> None:
    hosts = Hosts()
    for _ in range(10):
        assert hosts.ask("A", takes=1.0) == pytest.approx(4.5)


def test_a_start_is_over_once_the_host_would_have_given_up() -> None:
    hosts = Hosts()
    hosts.ask("A", takes=4.0)
    hosts.now += 10.0

    assert hosts.ask("B", takes=0.1) == pytest.approx(4.5)


@pytest.mark.parametrize("error", [DOWN, RateLimited("limited", retry_after=3.0)])
def test_after_a_failure_of_the_store_the_rest_gets_what_is_left(error: StoreUnavailable) -> None:
    hosts = Hosts()
    hosts.ask("A", takes=4.4, error=error)

    assert hosts.ask("B", takes=60) == pytest.approx(0.1)
    assert hosts.ask("C", takes=60) == pytest.approx(0.05)


def test_a_host_that_goes_on_asking_gets_time_again_once_the_store_has_answered_for_a_while() -> (
    None
):
    hosts = Hosts()
    hung(hosts, 3)
    allowed = [hosts.ask(f"K{number}", takes=0.04) for number in range(80)]

    assert allowed[0] == pytest.approx(0.05)
    assert allowed[-1] == pytest.approx(0.5)
    # What is too slow for next to no time only does not begin another outage.
    slow = [hosts.ask(f"S{number}", takes=0.2 if number % 5 else 0.06) for number in range(40)]
    assert min(slow) == pytest.approx(0.5)


def test_a_start_that_fails_now_and_then_by_little_time_alone_recovers() -> None:
    hosts = Hosts()
    hung(hosts, 2)
    allowed = [hosts.ask(f"K{n}", takes=0.06 if n % 5 == 0 else 0.04) for n in range(100)]

    assert allowed[-1] == pytest.approx(0.5)


def test_a_store_that_still_hangs_now_and_then_gets_no_more_time() -> None:
    hosts = Hosts()
    hung(hosts, 1)
    before = hosts.now
    for number in range(60):
        hosts.ask(f"K{number}", takes=60 if number % 2 else 0.01)

    assert hosts.now - before <= 5.0 + 60 * 0.05 + 2 * 0.5


def test_a_missing_secret_is_no_failure_of_the_store() -> None:
    hosts = Hosts()
    hosts.ask("A", takes=4.4, error=SecretNotFound("none"))

    assert hosts.ask("B", takes=60) == pytest.approx(0.5)


def test_a_host_that_asks_for_several_at_a_time_is_not_bounded_together() -> None:
    hosts = Hosts()
    waits = [hosts.begin(f"K{number}") for number in range(5)]
    hosts.now += 4.0
    for wait in waits:
        hosts.waits.end(wait, hosts.now, None)

    assert [wait.seconds for wait in waits] == pytest.approx([4.5, *[LIMIT] * 4])
    assert hosts.ask("LATER", takes=0.1) == pytest.approx(0.5)


def test_a_host_that_always_has_a_request_waiting_asks_for_several_at_a_time() -> None:
    hosts = Hosts()
    first, second = hosts.begin("K1"), hosts.begin("K2")
    hosts.now += 4.0
    hosts.waits.end(first, hosts.now, None)

    assert hosts.begin("K3").seconds == LIMIT
    hosts.waits.end(second, hosts.now, None)


def test_nobody_else_can_wait_in_the_name_of_a_host() -> None:
    """The account that signs a host's token is drawn by the host, and its seed never leaves it."""
    hosts = Hosts()
    hosts.ask("A", takes=60, who=caller(issuer="A2"))

    assert hosts.ask("B", takes=0.1) == pytest.approx(4.5)


def test_while_the_store_is_known_to_be_down_nobody_waits_for_it() -> None:
    hosts = Hosts()
    hosts.health.down = True

    assert [hosts.ask("A", 60, who=caller(f"N{n}")) for n in range(3)] == [0.25] * 3
    hosts.health.down = False
    assert hosts.ask("A", 60, who=caller("N9")) == pytest.approx(4.5)


def test_without_a_bound_each_request_has_its_own_limit_alone() -> None:
    hosts = Hosts(seconds=0)

    assert [hosts.ask(f"K{n}", takes=60) for n in range(3)] == [LIMIT] * 3
    assert hosts.waits.longest(LIMIT) == LIMIT


def test_the_requests_own_limit_is_never_exceeded() -> None:
    hosts = Hosts(seconds=60)

    assert hosts.ask("A", takes=1.0) == LIMIT


def test_time_that_an_operator_would_notice_is_counted() -> None:
    hosts = Hosts()
    hosts.ask("A", takes=0.9)
    hosts.ask("B", takes=1.5)
    hosts.ask("C", takes=60)

    assert hosts.waits.frozen_seconds == pytest.approx(1.5 + 2.1)
    assert hosts.waits.cut_short == 2


def test_memory_is_bounded() -> None:
    hosts = Hosts()
    for number in range(MAX_HOSTS + 10):
        hosts.ask("A", takes=0.0, who=caller(f"N{number}"))

    assert len(hosts.waits._starts) == MAX_HOSTS
