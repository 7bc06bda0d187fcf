"""A service by a policy file: at its start, and when the file changes."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from adapters.audit.sink import AuditSinkError
from adapters.crypto.nkeys_text import KeyKind, encode_public
from adapters.crypto.token_signer import SigningKey
from adapters.system.own_thread import POLL_SECONDS
from bootstrap.closing import ServiceMisconfiguredError
from bootstrap.settings import SettingsError
from ports.store_check import StoreMisconfiguredError
from tests.unit.bootstrap.lifecycle_world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from adapters.access_policy.file import AccessPolicyFile

TEAM = encode_public(KeyKind.ACCOUNT, b"t" * 32)
NO_GRANTS = f"version: 1\nissuers: {{team: {TEAM}}}\ngrants: []\n"
ONE_GRANT = f"""\
version: 1
issuers:
  team: {TEAM}
grants:
  - name: all
    entities: [{{issuer: team, names: ["*"]}}]
    secrets: [{{keys: ["/**"]}}]
"""


class PolicyWorld(World):
    """A world whose rules come from a file."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__()
        self.path = path
        path.write_text(text)
        self.variables["ACCESS_POLICY_FILE"] = str(path)

    @property
    def rules(self) -> AccessPolicyFile:
        """The file as the service reads it."""
        rules = self.service().access.file
        assert rules is not None
        return rules

    async def patiently(self, holds: Callable[[], bool], seconds_a_turn: float = 0) -> None:
        """Wait until something is so that takes a thread, as reading the file does."""
        for _ in range(1000):
            if holds():
                return
            self.clock.advance(seconds_a_turn)
            await asyncio.sleep(0.005)
        raise AssertionError("it never came to that")


async def test_a_broken_policy_file_is_a_wrong_setting_and_nothing_is_connected_to(
    tmp_path: Path,
) -> None:
    world = PolicyWorld(tmp_path / "policy.yaml", "version: 2\nissuers: {}\ngrnts: []\n")

    with pytest.raises(SettingsError) as caught:
        await world.service().run(world.stop, world.reload)

    assert world.events == []
    texts = [str(problem) for problem in caught.value.problems]
    assert len(texts) > 1
    assert all(text.startswith("ACCESS_POLICY_FILE ") for text in texts)
    assert any("line 3, column 8: grnts" in text for text in texts)


@pytest.mark.parametrize(("required", "starts"), [("true", False), ("false", True)])
async def test_a_required_policy_file_must_grant_something(
    tmp_path: Path, required: str, starts: bool
) -> None:
    world = PolicyWorld(tmp_path / "policy.yaml", NO_GRANTS)
    world.variables["REQUIRE_ACCESS_POLICY"] = required

    async with world.running() as task:
        await world.patiently(lambda: task.done() or bool(world.logged("service.ready")))

    assert bool(world.logged("service.ready")) is starts
    if not starts:
        with pytest.raises(SettingsError, match="REQUIRE_ACCESS_POLICY insists"):
            task.result()


async def test_ready_says_what_the_policy_file_has_in_force(tmp_path: Path) -> None:
    world = PolicyWorld(tmp_path / "policy.yaml", ONE_GRANT)

    async with world.running():
        await world.patiently(lambda: bool(world.logged("service.ready")))

    (record,) = world.logged("service.ready")
    assert (record["rules"], record["issuers"]) == ("policy_file", 1)
    assert (record["grants"], record["denials"]) == (1, 0)
    assert record["policy_sha256"] == sha256(ONE_GRANT.encode()).hexdigest()
    assert "trusted_issuers" not in record


async def test_ready_counts_the_trusted_issuers_where_there_is_no_policy_file() -> None:
    world = World()
    keys = [SigningKey.generate(KeyKind.ACCOUNT).public for _ in range(3)]
    world.variables["TRUSTED_ISSUERS"] = ",".join(keys)
    world.variables["AUTHORIZATION_MODE"] = "observe"

    async with world.running():
        await world.until(lambda: bool(world.logged("service.ready")))

    (record,) = world.logged("service.ready")
    assert (record["rules"], record["issuers"]) == ("trusted_issuers", 3)
    assert record["authorization_mode"] == "observe"
    assert "policy_sha256" not in record


async def test_what_is_wrong_with_the_store_and_the_trail_is_said_at_once() -> None:
    world = World(StoreMisconfiguredError("The secret is wrong"))
    world.audit.failure = AuditSinkError("Make room for the audit trail")

    with pytest.raises(ServiceMisconfiguredError) as caught:
        await world.service().run(world.stop, world.reload)

    assert caught.value.advices == ("The secret is wrong", "Make room for the audit trail")


async def test_a_changed_policy_file_comes_into_force_by_itself(tmp_path: Path) -> None:
    world = PolicyWorld(tmp_path / "policy.yaml", NO_GRANTS)

    async with world.running():
        await world.patiently(lambda: bool(world.logged("service.ready")))
        world.path.write_text(ONE_GRANT)
        await world.patiently(lambda: world.rules.status.grants == 1, POLL_SECONDS)

    assert "audit reopened" not in world.events


async def test_reloading_reads_the_policy_file_and_reopens_the_audit_file_each_time(
    tmp_path: Path,
) -> None:
    world = PolicyWorld(tmp_path / "policy.yaml", NO_GRANTS)
    world.reload.set()  # before it is up: it is not forgotten

    async with world.running():
        await world.patiently(lambda: world.events.count("audit reopened") == 1)
        world.path.write_text(ONE_GRANT)
        world.reload.set()
        await world.patiently(lambda: world.rules.status.grants == 1)

    assert world.events.count("audit reopened") == 2
    assert world.events.count("store reloaded") == 2


async def test_reloading_without_a_policy_file_reopens_the_audit_file() -> None:
    world = World()

    async with world.running():
        await world.until(lambda: bool(world.logged("service.ready")))
        world.reload.set()
        await world.until(lambda: "audit reopened" in world.events)

    assert not world.reload.is_set()


async def test_a_store_that_fails_to_reload_is_logged_and_served_from_all_the_same() -> None:
    world = World()
    world.reload_failure = ValueError("canary-21c6")
    async with world.running():
        await world.until(lambda: bool(world.logged("service.ready")))
        world.reload.set()
        await world.until(lambda: bool(world.logged("store.reload_failed")))
        world.reload_failure = None
        world.reload.set()
        await world.until(lambda: world.events.count("store reloaded") == 2)

    (failed,) = world.logged("store.reload_failed")
    assert failed["exception"] == "ValueError"
    assert "canary" not in world.log.getvalue()
