"""Rules from a policy file around the whole service: enforced, observed, changed, broken."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from domain.model.errors import SecretNotFound, Unauthorized
from tests.integration.service.policy_rules import ENTITY, NOTHING, TEAM, rules
from tests.support.service_process import ServiceProcess, run_to_its_end

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.nats_kv.operating import NatsKvSecretWriter
    from tests.support.command_line import CommandLine
    from tests.support.host import Host


Settings = dict[str, str]


@dataclass
class Stage:
    """A service with a policy file, and those around it."""

    settings: Settings
    folder: Path
    host: Host
    writer: NatsKvSecretWriter
    commands: CommandLine

    @property
    def policy(self) -> Path:
        return self.folder / "policy.yaml"

    def service(self, **changes: str) -> ServiceProcess:
        """Return a service with further settings, not started yet."""
        return ServiceProcess(self.settings | changes, self.folder)

    async def ends(self, **changes: str) -> tuple[int, ServiceProcess]:
        """Start one that is not meant to get far, and return its exit code with what it wrote."""
        return await run_to_its_end(self.settings | changes, self.folder)

    async def get(self, key: str) -> str:
        """Ask as the component."""
        value = (await self.host.get(key)).value.reveal()
        assert isinstance(value, str)
        return value

    def write(self, text: str, name: str = "policy.yaml") -> None:
        """Write a file into the service's folder."""
        (self.folder / name).write_text(text)

    def read(self, name: str) -> str:
        """Read one of its files."""
        return (self.folder / name).read_text()

    def replace(self, text: str) -> None:
        """Put a new policy file in the old one's place."""
        self.write(text, "policy.new")
        (self.folder / "policy.new").replace(self.policy)


@pytest_asyncio.fixture
async def stage(
    nats_kv_settings: Settings,
    tmp_path: Path,
    host: Host,
    writer: NatsKvSecretWriter,
    command_line: CommandLine,
) -> Stage:
    """Three secrets, and rules that grant /granted/* and one secret by its name."""
    for key in ("granted/KEY", "other/KEY", "never/asked"):
        await writer.put(key, "value")
    host.entity_token = ENTITY
    settings = nats_kv_settings | {"ACCESS_POLICY_FILE": str(tmp_path / "policy.yaml")}
    stage = Stage(settings, tmp_path, host, writer, command_line)
    stage.write(rules("/granted/*", "/named/KEY"))
    return stage


async def test_what_is_granted_is_answered_and_what_is_not_is_refused_as_explain_says(
    stage: Stage,
) -> None:
    async with stage.service() as service:
        assert await stage.get("granted/KEY") == "value"
        with pytest.raises(Unauthorized):
            await stage.get("other/KEY")
        await service.wait_for("secret_request", count=3)

    answered, refused = service.logged("secret_request")[1:]
    assert (answered["reason"], answered["grant"]) == ("granted", "the-component")
    assert (refused["reason"], refused["error"]) == ("key_not_granted", "Unauthorized")
    for record, code in ((answered, 0), (refused, 1)):
        explained = await stage.commands.run(
            *("policy", "explain", "--policy-file", str(stage.policy)),
            *("--entity", ENTITY, "--key", record["path"]),
        )
        assert explained[0] == code
        assert b"the-component" in explained[1]
        assert code == 0 or record["reason"].encode() in explained[1]


async def test_absent_looks_forbidden_unless_the_secret_is_granted_by_name(stage: Stage) -> None:
    async with stage.service() as service:
        with pytest.raises(Unauthorized):
            await stage.get("granted/ABSENT")
        with pytest.raises(SecretNotFound):
            await stage.get("named/KEY")
        await service.wait_for("secret_request", count=3)

    hidden, told = service.logged("secret_request")[1:]
    assert (hidden["reason"], hidden["error"]) == ("secret_not_found", "Unauthorized")
    assert (told["reason"], told["error"]) == ("secret_not_found", "SecretNotFound")


async def test_absent_is_said_to_be_absent_where_that_is_configured(stage: Stage) -> None:
    async with stage.service(HIDE_MISSING_SECRETS="false"):
        with pytest.raises(SecretNotFound):
            await stage.get("granted/ABSENT")


async def test_sighup_brings_a_changed_file_into_force(stage: Stage) -> None:
    async with stage.service() as service:
        stage.write(rules("/other/KEY"))
        service.signal(signal.SIGHUP)
        await service.wait_for("access_policy.loaded", count=2)
        assert await stage.get("other/KEY") == "value"
        service.signal(signal.SIGHUP)
        await service.wait_for("access_policy.unchanged")
        assert await service.stop() == 0


async def test_a_changed_file_comes_into_force_by_itself(stage: Stage) -> None:
    async with stage.service() as service:
        stage.replace(rules("/other/KEY"))
        await service.wait_for("access_policy.loaded", count=2)
        with pytest.raises(Unauthorized):
            await stage.get("granted/KEY")


async def test_a_broken_new_file_leaves_the_old_rules_in_force(stage: Stage) -> None:
    async with stage.service() as service:
        stage.write(rules("/granted/*").replace("issuer:", "isuer:"))
        service.signal(signal.SIGHUP)
        refused = await service.wait_for("access_policy.refused")
        assert await stage.get("granted/KEY") == "value"

    assert any(mistake.startswith("line ") for mistake in refused["mistakes"])
    assert refused["still_in_force"] == service.logged("access_policy.loaded")[0]["digest"]


async def test_what_was_observed_becomes_rules_that_can_be_enforced(stage: Stage) -> None:
    stage.write(NOTHING)

    async with stage.service(AUTHORIZATION_MODE="observe") as service:
        assert await stage.get("other/KEY") == "value"
        record = await service.wait_for("secret_request", count=2)
    stage.write(service.output, "service.log")
    drafted = await stage.commands.run("policy", "draft", "service.log", "-o", "draft.yaml")
    draft = stage.read("draft.yaml")
    checked = await stage.commands.run("policy", "check", "draft.yaml")

    assert record["reason"] == "observed_issuer_not_trusted"
    assert service.logged("access.only_observed")[0]["level"] == "warning"
    assert (drafted[0], checked[0]) == (0, 1)  # the issuer has no name yet
    stage.write(re.sub(r"FILL-IN-[\w-]+", "team", draft))
    assert (await stage.commands.run("policy", "check", str(stage.policy)))[0] == 0
    async with stage.service():
        assert await stage.get("other/KEY") == "value"
        with pytest.raises(Unauthorized):
            await stage.get("never/asked")


@pytest.mark.parametrize(
    ("changes", "text", "said"),
    [
        ({"ACCESS_POLICY_FILE": ""}, NOTHING, "REQUIRE_ACCESS_POLICY is true"),
        ({}, NOTHING, "grants nothing"),
        ({"AUTHORIZATION_MODE": "observe"}, rules("/**"), "observe refuses no request"),
    ],
)
async def test_a_required_policy_is_a_condition_of_starting(
    stage: Stage, changes: Settings, text: str, said: str
) -> None:
    stage.write(text)

    code, service = await stage.ends(REQUIRE_ACCESS_POLICY="true", **changes)

    assert code == 2
    assert said in service.output
    assert not service.logged("nats.connected")


@pytest.mark.parametrize("by_file", [True, False])
async def test_with_a_required_policy_that_is_there_it_starts(stage: Stage, by_file: bool) -> None:
    without_file = {"ACCESS_POLICY_FILE": "", "TRUSTED_ISSUERS": TEAM.public}
    changes = {} if by_file else without_file

    async with stage.service(REQUIRE_ACCESS_POLICY="true", **changes) as service:
        assert not service.logged("access.any_issuer")


async def test_a_file_that_is_broken_at_start_is_reported_by_line_before_nats_is_connected(
    stage: Stage,
) -> None:
    stage.write(rules("/granted/*", "no-slash") + "colour: blue\n")

    code, service = await stage.ends()

    assert code == 2
    assert "  - ACCESS_POLICY_FILE line 12, column " in service.output
    assert "  - ACCESS_POLICY_FILE line 13, column 9: colour: " in service.output
    assert not service.logged("nats.connected")


async def test_where_requesters_are_required_those_that_nats_does_not_name_are_refused(
    stage: Stage,
) -> None:
    async with stage.service(NATS_REQUESTER_REQUIRED="true") as service:
        with pytest.raises(Unauthorized):
            await stage.get("granted/KEY")
        record = await service.wait_for("secret_request", count=2)

    assert record["reason"] == "requester_unknown"
