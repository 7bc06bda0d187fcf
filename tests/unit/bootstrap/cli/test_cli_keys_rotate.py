"""`keys rotate` on files alone, and what it makes of the replicas' answers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner
from typing_extensions import override

from adapters.crypto.xkeys import SodiumXKeyPair
from bootstrap.cli import app, rotation_step
from bootstrap.cli.key_survey import Survey, survey
from bootstrap.seed_rotation import Rotation
from domain.model.transport import Operation, Reply
from ports.transport import Channel, ChannelError
from tests.support.environments import new_xkey_seed
from tests.support.seeds import shows_xkey_seed

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

    from domain.model.identity import PublicXKey


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["keys", "rotate", *arguments], catch_exceptions=False)


@pytest.fixture
def seed_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "server.seed"
    path.write_text(new_xkey_seed())
    monkeypatch.setenv("SERVER_XKEY_SEED_FILE", str(path))
    return path


def test_the_steps_can_be_taken_without_asking_anybody(seed_file: Path) -> None:
    old = Rotation.read(seed_file).current.public

    said = [run("--no-check").output for _ in range(3)] + [run("--no-check", "--finish").output]

    new = Rotation.read(seed_file).current.public
    assert [text.partition(":")[0] for text in said[:2]] == ["Step 1 of 3", "Step 2 of 3"]
    assert f"announced: {old}\nnext: {new}\n" in said[0]
    assert f"to be announced: {new}\nretired: {old}\n" in said[1]
    assert "--finish" in said[2]
    assert said[3].startswith("Step 3 of 3")
    assert not any(shows_xkey_seed(text) for text in said)
    assert list(seed_file.parent.iterdir()) == [seed_file]


def test_the_end_cannot_come_first(seed_file: Path) -> None:
    result = run("--no-check", "--finish")

    assert result.exit_code == 2
    assert "too early for --finish: make the new key first" in result.output


def test_without_a_file_it_says_which_setting_is_meant() -> None:
    result = run("--no-check")

    assert result.exit_code == 2
    assert "SERVER_XKEY_SEED_FILE" in result.output


READY = {"openers": frozenset({"replicaa"}), "closed": 0, "silent": 0, "asked": 64}


@pytest.mark.parametrize(
    ("answers", "says", "code"),
    [
        ({"silent": 1}, "1 of 64 requests got no proper answer", 1),
        ({"announced": "XOTHER"}, "announce another key", 2),
        ({"closed": 1}, "do not open the new key yet", 1),
        ({"openers": frozenset()}, "Only 0 of 1 replicas answered", 1),
    ],
)
def test_replicas_that_are_not_ready_stop_a_step(
    seed_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    answers: dict[str, object],
    says: str,
    code: int,
) -> None:
    async def surveyed(key: SodiumXKeyPair, _: int, *, as_json: bool) -> Survey:
        seen: dict[str, object] = {**READY, "announced": key.public, **answers}
        return Survey(**{**seen, "announced": Counter({seen["announced"]: 1})})  # type: ignore[arg-type]  # a table's values

    monkeypatch.setattr(rotation_step, "_survey", surveyed)

    result = run()

    assert result.exit_code == code
    assert says in result.output
    assert "Nothing was changed" in result.output
    assert list(seed_file.parent.iterdir()) == [seed_file]


class Replica(Channel):
    """Answers as replicas do whose keys are known; each request goes to the next of them."""

    def __init__(self, *replicas: dict[str, object]) -> None:
        self._replicas = replicas
        self._turn = 0

    @override
    async def request(
        self, operation: str, body: bytes, host_xkey: str | None, timeout_seconds: float
    ) -> Reply:
        replica = self._replicas[self._turn // 2 % len(self._replicas)]
        self._turn += 1
        if failure := replica.get("fails"):
            raise ChannelError("x", reason=str(failure))
        if operation == Operation.SERVER_XKEY:
            return Reply(str(replica["announces"]).encode())
        error = replica["answers"]
        return Reply(str(error).encode())


def opens(name: str) -> str:
    return f'{{"error": {{"InvalidEntityJWT": "Sign it. (request {name}-00001f)"}}}}'


KEY: PublicXKey = SodiumXKeyPair.generate().public


async def test_replicas_are_told_apart_by_their_request_ids() -> None:
    channel = Replica(
        {"announces": "XA", "answers": opens("aaaaaaaa")},
        {"announces": "XB", "answers": opens("bbbbbbbb")},
        {"announces": "XB", "answers": opens("cccccccc")},
    )

    seen = await survey(channel, KEY, replicas=8)

    assert seen.openers == {"aaaaaaaa", "bbbbbbbb", "cccccccc"}
    assert (seen.asked, seen.closed, seen.silent) == (129, 0, 0)
    assert seen.announced == {"XA": 43, "XB": 86}


async def test_a_replica_that_does_not_open_the_key_ends_the_questions() -> None:
    closed: dict[str, object] = {"announces": "XB", "answers": '{"error": "DecryptionError"}'}

    alone = await survey(Replica(closed), KEY, replicas=8)
    among = await survey(
        Replica({"announces": "XA", "answers": opens("aaaaaaaa")}, closed), KEY, replicas=8
    )

    assert (alone.asked, alone.closed) == (1, 1)
    assert among.asked < 129
    assert among.closed > 0


async def test_a_time_out_is_silence_and_nobody_is_asked_on() -> None:
    seen = await survey(Replica({"fails": "timeout"}), KEY, replicas=1)

    assert (seen.asked, seen.silent) == (1, 1)


async def test_a_replica_that_is_too_busy_is_as_good_as_silent() -> None:
    busy = '{"error": {"Other": "Too busy. (request cccccccc-0)"}}'
    channel = Replica(
        {"announces": "XA", "answers": opens("aaaaaaaa")}, {"announces": "XA", "answers": busy}
    )

    seen = await survey(channel, KEY, replicas=8)

    assert (seen.asked, seen.silent) == (9, 4)


async def test_nobody_there_is_told_at_once() -> None:
    with pytest.raises(ChannelError):
        await survey(Replica({"fails": "no_responders"}), KEY, replicas=1)
