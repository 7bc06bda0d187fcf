"""Credentials that were refused are never sent a second time: five refusals lock the role."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from typing_extensions import override

from adapters.upstream.credentials import CredentialSource, FixedText
from adapters.vault.login import app_role
from adapters.vault.token_makers import LoginMaker
from domain.model.errors import UpstreamError
from tests.fakes.clock import FakeClock
from tests.fakes.peer_bus import FakePeerBus
from tests.support.vault_logins import ROLE_ID, SECRET_ID
from tests.unit.adapters.vault.model_calls import ModelCalls, new_refusals

if TYPE_CHECKING:
    from pathlib import Path


class Changing(CredentialSource):
    """A file's text, as it is now."""

    def __init__(self, text: str) -> None:
        self.may_change = True
        self.text = text

    @override
    async def read(self) -> SecretStr:
        return SecretStr(self.text)


class Replica:
    """One process that logs in by AppRole."""

    def __init__(
        self,
        calls: ModelCalls,
        clock: FakeClock,
        *peers: FakePeerBus,
        file: Path | None = None,
    ) -> None:
        self.secret_id = Changing("wrong-1")
        self.bus = FakePeerBus(*peers)
        self.refusals = new_refusals(clock, self.bus, file)
        method = app_role("approle", FixedText(SecretStr(ROLE_ID)), self.secret_id)
        self.maker = LoginMaker(method, "", calls, self.refusals, clock)

    async def refused(self) -> str:
        with pytest.raises(UpstreamError) as error:
            await self.maker.obtain(None)
        assert self.secret_id.text not in error.value.advice
        return error.value.reason


async def test_a_refused_secret_id_is_sent_once() -> None:
    calls, clock = ModelCalls(), FakeClock()
    replica = Replica(calls, clock)

    assert await replica.refused() == "login_refused"
    clock.advance(86400)
    assert await replica.refused() == "login_refused"
    assert calls.model.logins.logins == 1


async def test_another_secret_id_is_tried() -> None:
    calls, clock = ModelCalls(), FakeClock()
    replica = Replica(calls, clock)
    await replica.refused()
    assert not await replica.maker.has_changed()

    replica.secret_id.text = SECRET_ID
    assert await replica.maker.has_changed()
    assert (await replica.maker.obtain(None)).seconds == 3600


async def test_the_operator_has_it_tried_once_more() -> None:
    calls, clock = ModelCalls(), FakeClock()
    replica = Replica(calls, clock)
    await replica.refused()
    calls.model.logins.secret_ids.add("wrong-1")

    assert await replica.refused() == "login_refused"
    replica.refusals.forget()
    assert (await replica.maker.obtain(None)).seconds == 3600


async def test_different_wrong_secret_ids_do_not_lock_the_role() -> None:
    calls, clock = ModelCalls(), FakeClock()
    replica = Replica(calls, clock)
    reasons = []
    for number in range(10):
        replica.secret_id.text = f"wrong-{number}"
        reasons.append(await replica.refused())
        clock.advance(60)

    assert calls.model.logins.wrong == 3
    assert reasons == ["login_refused"] * 3 + ["login_locked"] * 7
    clock.advance(906)
    replica.secret_id.text = SECRET_ID
    assert (await replica.maker.obtain(None)).seconds == 3600


async def test_a_login_that_succeeds_resets_the_count() -> None:
    calls, clock = ModelCalls(), FakeClock()
    replica = Replica(calls, clock)
    for number in range(6):
        replica.secret_id.text = f"wrong-{number}"
        assert await replica.refused() == "login_refused"
        replica.secret_id.text = SECRET_ID
        await replica.maker.obtain(None)

    assert calls.model.logins.wrong == 0


async def test_replicas_tell_each_other() -> None:
    calls, clock = ModelCalls(), FakeClock()
    first = Replica(calls, clock)
    second = Replica(calls, clock, first.bus)
    await first.refusals.listen()
    await second.refusals.listen()
    second.bus.is_down = True

    await first.refused()
    assert await second.refused() == "login_refused"
    assert calls.model.logins.logins == 1
    told = [*first.bus.sent, *first.bus.asked]
    assert len(told) == 2
    assert all(b"wrong" not in payload for _, payload in told)


async def test_a_starting_replica_asks_what_the_others_know() -> None:
    calls, clock = ModelCalls(), FakeClock()
    first = Replica(calls, clock)
    second = Replica(calls, clock, first.bus)
    await first.refusals.listen()
    await first.refused()
    await second.refusals.listen()

    assert await second.refused() == "login_refused"
    assert calls.model.logins.logins == 1


async def test_a_refusal_outlives_a_restart_by_its_file(tmp_path: Path) -> None:
    calls, clock, file = ModelCalls(), FakeClock(), tmp_path / "refused.json"
    await Replica(calls, clock, file=file).refused()

    after = Replica(calls, FakeClock(), file=file)
    assert await after.refused() == "login_refused"
    assert calls.model.logins.logins == 1
    assert "wrong" not in file.read_text("utf-8")
    assert file.stat().st_mode & 0o777 == 0o600


async def test_a_success_takes_the_credentials_out_of_the_file(tmp_path: Path) -> None:
    calls, clock, file = ModelCalls(), FakeClock(), tmp_path / "refused.json"
    replica = Replica(calls, clock, file=file)
    await replica.refused()
    calls.model.logins.secret_ids.add("wrong-1")
    replica.refusals.forget()
    await replica.maker.obtain(None)
    after = Replica(calls, FakeClock(), file=file)

    assert (await after.maker.obtain(None)).seconds == 3600


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"refused":["x"]}', '{"refused":{}}', "\xff"])
def test_a_file_that_holds_something_else_stops_the_start(tmp_path: Path, content: str) -> None:
    file = tmp_path / "refused.json"
    file.write_bytes(content.encode("latin-1"))

    with pytest.raises(ValueError, match="refused logins"):
        new_refusals(FakeClock(), file=file)
    assert file.read_bytes() == content.encode("latin-1")


async def test_a_file_that_cannot_be_written_does_not_stop_a_login(tmp_path: Path) -> None:
    calls = ModelCalls()
    replica = Replica(calls, FakeClock(), file=tmp_path / "missing" / "refused.json")

    assert await replica.refused() == "login_refused"
    assert await replica.refused() == "login_refused"
    assert calls.model.logins.logins == 1


async def test_a_bus_that_is_down_does_not_stop_a_login() -> None:
    calls = ModelCalls()
    replica = Replica(calls, FakeClock())
    replica.bus.is_down = True
    replica.secret_id.text = SECRET_ID

    assert (await replica.maker.obtain(None)).seconds == 3600


@pytest.mark.parametrize("what", ["", "0" * 31, "0" * 33, "x" * 32, "0" * 32 + "\n", "é"])
@pytest.mark.parametrize("kind", ["refused", "asked", "other", ""])
async def test_what_peers_send_is_checked(kind: str, what: str) -> None:
    mine = FakePeerBus()
    other = FakePeerBus(mine)
    refusals = new_refusals(FakeClock(), mine)
    await refusals.listen()

    other.broadcast("login_refused", f"{kind} {what}".encode())
    answers = await other.ask("login_refused", f"{kind} {what}".encode())

    assert await answers.gather(0) == []
    mine.is_down = True
    assert not await refusals.is_refused(what)


async def test_the_memory_of_refusals_is_bounded(tmp_path: Path) -> None:
    file = tmp_path / "refused.json"
    refusals = new_refusals(FakeClock(), file=file)
    for number in range(100):
        await refusals.refused(f"{number:032x}")

    kept = json.loads(file.read_text("utf-8"))["refused"]
    assert kept == [f"{number:032x}" for number in range(36, 100)]
