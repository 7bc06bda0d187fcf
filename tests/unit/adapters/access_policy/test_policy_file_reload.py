"""The rules in force, while the file on disk changes."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from adapters.access_policy.file import AccessPolicyFile, read_policy_file
from adapters.access_policy.problems import AccessPolicyError
from domain.model.access import Decision
from tests.fakes.clock import FakeClock
from tests.unit.adapters.access_policy.changing_file import BROKEN, EMPTY, write
from tests.unit.adapters.access_policy.policies import GOOD, request

if TYPE_CHECKING:
    from pathlib import Path


def test_before_it_is_loaded_every_request_is_refused(policy: AccessPolicyFile) -> None:
    assert policy.decide(request()) == Decision(allowed=False, reason="policy_not_loaded")
    assert policy.status.loaded_at is None


async def test_a_loaded_file_decides_and_shows_itself(
    policy: AccessPolicyFile, clock: FakeClock
) -> None:
    with capture_logs() as logs:
        await policy.load()

    digest = sha256(GOOD.encode()).hexdigest()
    assert policy.decide(request()).grant == "billing"
    assert policy.status.digest == digest
    assert policy.status.loaded_at == clock.now()
    assert (policy.status.issuers, policy.status.grants, policy.status.denials) == (1, 1, 0)
    assert not policy.status.mistakes
    assert [(line["event"], line["digest"]) for line in logs] == [("access_policy.loaded", digest)]


async def test_a_broken_file_at_start_is_an_error_with_every_mistake(
    policy: AccessPolicyFile, path: Path
) -> None:
    write(path, BROKEN.replace("version: 1", "version: 2"))

    with pytest.raises(AccessPolicyError) as error:
        await policy.load()

    assert [mistake.line for mistake in error.value.problems] == [1, 7, 8]
    assert not policy.decide(request()).allowed


async def test_a_missing_file_at_start_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(AccessPolicyError, match="No such file"):
        await AccessPolicyFile(tmp_path / "none.yaml", FakeClock()).load()


async def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    for path in (pipe, tmp_path):
        with pytest.raises(AccessPolicyError, match="no regular file"):
            await AccessPolicyFile(path, FakeClock()).load()


async def test_reloading_takes_a_new_file_at_once(policy: AccessPolicyFile, path: Path) -> None:
    await policy.load()
    write(path, EMPTY)

    assert await policy.reload()
    assert policy.decide(request()).reason == "issuer_not_trusted"
    assert policy.status.grants == 0


async def test_reloading_an_unchanged_file_says_so(policy: AccessPolicyFile) -> None:
    await policy.load()
    before = policy.status

    with capture_logs() as logs:
        assert await policy.reload()

    assert [line["event"] for line in logs] == ["access_policy.unchanged"]
    assert policy.status == before


async def test_a_broken_new_file_leaves_the_old_rules_and_is_seen(
    policy: AccessPolicyFile, path: Path, clock: FakeClock
) -> None:
    await policy.load()
    loaded = policy.status
    write(path, BROKEN)
    clock.advance(10)

    with capture_logs() as logs:
        assert not await policy.reload()
        assert not await policy.reload()

    assert policy.decide(request()).allowed
    assert policy.status.digest == loaded.digest
    assert policy.status.loaded_at == loaded.loaded_at
    assert policy.status.grants == 1
    assert [mistake.line for mistake in policy.status.mistakes] == [7, 8]
    assert [line["event"] for line in logs] == ["access_policy.refused"] * 2
    assert logs[0]["log_level"] == "error"
    assert logs[0]["mistakes_found"] == 2
    assert any("subjekt" in mistake for mistake in logs[0]["mistakes"])
    assert logs[0]["still_in_force"] == loaded.digest


async def test_a_mended_file_is_taken_and_the_refusal_forgotten(
    policy: AccessPolicyFile, path: Path
) -> None:
    await policy.load()
    write(path, BROKEN)
    await policy.reload()
    write(path, GOOD)

    with capture_logs() as logs:
        assert await policy.reload()

    assert not policy.status.mistakes
    assert [line["event"] for line in logs] == ["access_policy.loaded"]


async def test_a_very_broken_file_does_not_flood_the_log(
    policy: AccessPolicyFile, path: Path
) -> None:
    write(path, "".join(f"a{n}: 1\n" for n in range(1000)))

    with capture_logs() as logs:
        await policy.reload()

    assert len(logs[0]["mistakes"]) == 20
    assert logs[0]["mistakes_found"] == 1003


def test_the_command_line_reads_a_file_once(path: Path, tmp_path: Path) -> None:
    assert read_policy_file(path).lines == {"billing": 5}
    with pytest.raises(AccessPolicyError, match="cannot be read"):
        read_policy_file(tmp_path / "nul\0")
