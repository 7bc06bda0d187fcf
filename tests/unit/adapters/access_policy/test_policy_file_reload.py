"""The rules in force, while the file on disk changes."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from adapters.access_policy.file import AccessPolicyFile, read_policy_file
from adapters.access_policy.problems import AccessPolicyError
from adapters.system.settling import POLL_SECONDS, SETTLE_SECONDS
from domain.model.access import Decision
from tests.fakes.clock import FakeClock
from tests.unit.adapters.access_policy.policies import GOOD, request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

EMPTY = "version: 1\nissuers: {}\ngrants: []\n"
BROKEN = GOOD.replace("subject:", "subjekt:")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "policy.yaml"
    file.write_text(GOOD)
    return file


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def policy(path: Path, clock: FakeClock) -> AccessPolicyFile:
    return AccessPolicyFile(path, clock)


async def asleep(clock: FakeClock) -> None:
    """Wait until a task waits for the clock to move."""
    while all(waiter.done() for _, waiter in clock._due):  # noqa: ASYNC110  the clock has no event
        await asyncio.sleep(0)


async def pass_time(clock: FakeClock, seconds: float) -> None:
    clock.advance(seconds)
    await asleep(clock)


@asynccontextmanager
async def watching(policy: AccessPolicyFile, clock: FakeClock) -> AsyncIterator[None]:
    watcher = asyncio.create_task(policy.watch())
    await asleep(clock)
    yield
    assert not watcher.done()
    watcher.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watcher


def write(path: Path, text: str) -> None:
    path.write_text(text)


def write_unnoticed(path: Path, text: str) -> None:
    """Write in place, and set the file's time back."""
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def remove(path: Path) -> None:
    path.unlink()


def mount_volume(folder: Path) -> None:
    """Lay files out as Kubernetes mounts a ConfigMap."""
    for version, text in (("..v1", GOOD), ("..v2", EMPTY)):
        (folder / version).mkdir()
        (folder / version / "policy.yaml").write_text(text)
    (folder / "..data").symlink_to("..v1")
    (folder / "policy.yaml").symlink_to("..data/policy.yaml")


def swap_links(folder: Path) -> None:
    """Change to the second version as Kubernetes does."""
    (folder / "..data_tmp").symlink_to("..v2")
    (folder / "..data_tmp").replace(folder / "..data")


def replace_file(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)


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
    assert policy.status.refusal is None
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
    assert policy.status.refusal is not None
    assert policy.status.refusal.at == clock.now()
    assert [mistake.line for mistake in policy.status.refusal.problems] == [7, 8]
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

    assert policy.status.refusal is None
    assert [line["event"] for line in logs] == ["access_policy.loaded"]


async def test_a_very_broken_file_does_not_flood_the_log(
    policy: AccessPolicyFile, path: Path
) -> None:
    write(path, "".join(f"a{n}: 1\n" for n in range(1000)))

    with capture_logs() as logs:
        await policy.reload()

    assert len(logs[0]["mistakes"]) == 20
    assert logs[0]["mistakes_found"] == 1003


async def test_a_changed_file_is_taken_without_being_asked(
    policy: AccessPolicyFile, path: Path, clock: FakeClock
) -> None:
    await policy.load()
    async with watching(policy, clock):
        replace_file(path, EMPTY)
        await pass_time(clock, POLL_SECONDS)
        assert policy.decide(request()).allowed
        await pass_time(clock, SETTLE_SECONDS)
        assert not policy.decide(request()).allowed


async def test_a_change_that_keeps_size_and_time_is_seen(
    policy: AccessPolicyFile, path: Path, clock: FakeClock
) -> None:
    await policy.load()
    async with watching(policy, clock):
        write_unnoticed(path, GOOD.replace("/payments/", "/accounts/"))
        await pass_time(clock, POLL_SECONDS)
        await pass_time(clock, SETTLE_SECONDS)

    assert policy.decide(request()).reason == "key_not_granted"


async def test_a_file_still_being_written_is_waited_for(
    policy: AccessPolicyFile, path: Path, clock: FakeClock
) -> None:
    await policy.load()
    whole = GOOD + "denials:\n  - name: none\n    keys: [/payments/API_KEY]\n"
    wider = whole.replace("/payments/**", "/**")
    async with watching(policy, clock):
        write(path, wider.partition("denials")[0])
        await pass_time(clock, POLL_SECONDS)
        write(path, wider)
        await pass_time(clock, SETTLE_SECONDS)
        assert policy.decide(request("/other")).reason == "key_not_granted"
        await pass_time(clock, SETTLE_SECONDS)

    assert policy.decide(request("/other")).allowed
    assert policy.decide(request()).reason == "denied_by_rule"


async def test_a_mounted_volume_that_swaps_its_links_is_seen(
    tmp_path: Path, clock: FakeClock
) -> None:
    mount_volume(tmp_path)
    policy = AccessPolicyFile(tmp_path / "policy.yaml", clock)
    await policy.load()
    async with watching(policy, clock):
        swap_links(tmp_path)
        await pass_time(clock, POLL_SECONDS)
        await pass_time(clock, SETTLE_SECONDS)

    assert not policy.decide(request()).allowed


async def test_a_watched_file_that_is_broken_or_gone_is_reported_once(
    policy: AccessPolicyFile, path: Path, clock: FakeClock
) -> None:
    await policy.load()
    with capture_logs() as logs:
        async with watching(policy, clock):
            write(path, BROKEN)
            for _ in range(6):
                await pass_time(clock, POLL_SECONDS)
            remove(path)
            for _ in range(6):
                await pass_time(clock, POLL_SECONDS)
            assert policy.decide(request()).allowed
            write(path, GOOD)
            for _ in range(3):
                await pass_time(clock, POLL_SECONDS)

    events = [line["event"] for line in logs]
    assert events == ["access_policy.refused", "access_policy.refused", "access_policy.loaded"]
    assert policy.status.refusal is None


async def test_an_unchanged_watched_file_leaves_the_log_alone(
    policy: AccessPolicyFile, clock: FakeClock
) -> None:
    await policy.load()
    with capture_logs() as logs:
        async with watching(policy, clock):
            for _ in range(3):
                await pass_time(clock, POLL_SECONDS)

    assert logs == []


def test_the_command_line_reads_a_file_once(path: Path, tmp_path: Path) -> None:
    assert read_policy_file(path).lines == {"billing": 5}
    with pytest.raises(AccessPolicyError, match="cannot be read"):
        read_policy_file(tmp_path / "nul\0")
