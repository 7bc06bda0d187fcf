"""The permissions of `nats-auth` are those of deploy/nats/accounts.conf."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adapters.nats_auth import roles
from adapters.nats_auth.roles import Names
from adapters.nats_auth.setup import exports_for_people

if TYPE_CHECKING:
    from adapters.nats_auth.roles import Permissions

CONF = Path(__file__).resolve().parents[4] / "deploy" / "nats" / "accounts.conf"
NAMES = Names()


def configuration() -> str:
    lines = CONF.read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def subjects(user: str, verb: str) -> set[str]:
    """Return the subjects that a user of the file may publish or subscribe to."""
    block = configuration().split(f"user: {user}\n")[1].split("user: ")[0]
    listed = re.search(rf"{verb}: \[(.*?)\]", block, re.DOTALL)
    return set(re.findall(r'"([^"]+)"', listed[1])) if listed else set()


@pytest.mark.parametrize(
    ("user", "permissions"),
    [
        ("backend", roles.service(NAMES)),
        ("operator", roles.operator(NAMES)),
        ("auditor", roles.auditor(NAMES)),
    ],
)
def test_a_role_may_what_the_user_of_the_file_may(user: str, permissions: Permissions) -> None:
    assert set(permissions.publish) == subjects(user, "publish")
    assert set(permissions.subscribe) == subjects(user, "subscribe")


def test_people_are_exported_what_the_file_exports_to_them() -> None:
    exported = re.findall(
        r'\{(service|stream): "([^"]+)"[^{}]*accounts: \[OPERATORS\]', configuration()
    )

    assert {(each.kind, each.subject) for each in exports_for_people(NAMES)} == set(exported)


@pytest.mark.parametrize("lattice", ["default", "prod-eu"])
@pytest.mark.parametrize("alone", [True, False])
def test_a_host_gets_no_wildcard_over_other_lattices_streams_or_the_service(
    lattice: str, alone: bool
) -> None:
    host = roles.host(NAMES, lattice, alone=alone)

    for subject in (*host.publish, *host.subscribe):
        if subject not in {roles.INBOX, *NAMES.asked}:
            assert lattice in subject
        assert not subject.startswith((">", "*", "$JS.API.>", "$KV.>"))
        assert "STREAM.CREATE" not in subject
    assert not any(subject.startswith("wasmcloud.secrets") for subject in host.subscribe)
    assert (roles.INBOX in host.publish) == alone
