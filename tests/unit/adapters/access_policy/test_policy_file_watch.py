"""A policy file that is watched: changes are taken without being asked, and told once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from adapters.access_policy.file import AccessPolicyFile
from adapters.system.own_thread import POLL_SECONDS, SETTLE_SECONDS
from tests.unit.adapters.access_policy.changing_file import (
    BROKEN,
    EMPTY,
    mount_volume,
    pass_time,
    remove,
    replace_file,
    swap_links,
    watching,
    write,
    write_unnoticed,
)
from tests.unit.adapters.access_policy.policies import GOOD, request

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.clock import FakeClock


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
    assert not policy.status.mistakes


async def test_an_unchanged_watched_file_leaves_the_log_alone(
    policy: AccessPolicyFile, clock: FakeClock
) -> None:
    await policy.load()
    with capture_logs() as logs:
        async with watching(policy, clock):
            for _ in range(3):
                await pass_time(clock, POLL_SECONDS)

    assert logs == []
