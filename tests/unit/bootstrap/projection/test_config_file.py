"""The agent's configuration file: its plan, and what is said of mistakes."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from adapters.access_policy.problems import AccessPolicyError
from bootstrap.projection.config_file import read_plan, read_plan_file
from domain.model.workload import Workload

WHOLE = b"""\
version: 1
max_stale: 2m
lease: 20s
refresh: 10s
directories:
  - path: /run/secrets/cart
    consumer: {environment: stage, namespace: shop, workload: cart}
    tmpfs: any
    mode: "0750"
    group: 4711
    file_mode: "0440"
    owner: 815
    files:
      db-password: {key: payments/db, field: password, version: "3", properties: {path: /a}}
      token: secret://token?field=t
      own: {key: x, mode: "0400", owner: 1, group: 2}
  - path: /run/secrets/bill
    consumer: {namespace: shop, workload: bill}
    files: {}
"""


def test_everything_that_is_written_is_planned() -> None:
    plan = read_plan(WHOLE, "prod")
    cart, bill = plan.directories

    assert (plan.max_stale_seconds, plan.lease_seconds, plan.refresh_seconds) == (120, 20, 10)
    assert cart.path == Path("/run/secrets/cart")
    assert cart.consumer == Workload("stage", "shop", "cart")
    assert not cart.needs_memory
    assert (cart.rights.mode, cart.rights.group) == (0o750, 4711)
    db, token, own = cart.files
    assert (db.name, db.mode, db.owner) == ("db-password", 0o440, (815, 4711))
    asked = db.secret.wanted.asked
    assert (asked.key, asked.field, asked.version) == ("payments/db", "password", "3")
    assert dict(db.secret.wanted.properties) == {"path": "/a"}
    assert (token.secret.wanted.asked.key, token.secret.wanted.asked.field) == ("token", "t")
    assert (own.mode, own.owner) == (0o400, (1, 2))
    assert {file.secret.workload for file in cart.files} == {cart.consumer}
    assert bill.consumer == Workload("prod", "shop", "bill")


def test_what_is_left_out_is_as_strict_as_can_be() -> None:
    plan = read_plan(
        b"version: 1\ndirectories: [{path: /run/x, consumer: {namespace: n, workload: w}, "
        b"files: {a: {key: a}}}]",
        "prod",
    )
    (directory,) = plan.directories
    assert directory.needs_memory
    assert (directory.rights.mode, directory.rights.group) == (0o700, -1)
    assert (directory.files[0].mode, directory.files[0].owner) == (0o400, (-1, -1))
    assert (plan.max_stale_seconds, plan.lease_seconds, plan.refresh_seconds) == (300, 30, None)


def test_owners_are_read_by_name() -> None:
    me = pwd.getpwuid(os.geteuid()).pw_name
    plan = read_plan(WHOLE.replace(b"owner: 815", b"owner: " + me.encode()), "prod")
    assert plan.directories[0].files[0].owner[0] == os.geteuid()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "version: 1",
            "version: 2",
            "line 1, column 10: version: this version of the form is unknown",
        ),
        ("lease: 20s", "lease: 1s", "line 3, column 8: lease: the shortest lease is 3s"),
        (
            "lease: 20s",
            "leese: 20s",
            'line 3, column 8: leese: no such member.*Did you mean "lease"',
        ),
        ("max_stale: 2m", "max_stale: soon", "line 2, column 12: max_stale: write a whole number"),
        ("/run/secrets/cart", "run/cart", "write an absolute path"),
        ("/run/secrets/cart", "/run/../cart", "write an absolute path"),
        ("/run/secrets/bill", "/run/secrets/cart/bill", "one directory is, or lies in, another"),
        (
            "tmpfs: any",
            "tmpfs: anny",
            'line 8, column 12: .*write required or any. Did you mean "any"',
        ),
        (
            'mode: "0750"',
            'mode: "0770"',
            "line 9, column 11: .*write a mode in octal, such as 0750",
        ),
        (
            'mode: "0400"',
            'mode: "0755"',
            "line 16, column 27: .*write a mode in octal, such as 0440",
        ),
        ("group: 4711", "group: no-such-group-x", "no group has this name"),
        ("owner: 815", "owner: no-such-user-x", "no user has this name"),
        ("workload: cart", 'workload: "cart*"', "write one name: no asterisk"),
        ("token: secret", ".token: secret", "begin with a dot"),
        ("token: secret", "a/b: secret", "neither a slash"),
        ("secret://token?field=t", "secret://token?field", "line 15, column 14: .*NAME=VALUE"),
        ("secret://token?field=t", "token", "line 15, column 14: .*begins with secret://"),
        ("key: x,", "keyy: x,", 'Did you mean "key"'),
        ("namespace: shop, workload: bill", "workload: bill", 'member "namespace" is missing'),
    ],
)
def test_mistakes_are_named_with_their_place(before: str, after: str, said: str) -> None:
    with pytest.raises(AccessPolicyError, match=said):
        read_plan(WHOLE.decode().replace(before, after, 1).encode(), "prod")


def test_all_mistakes_are_said_at_once() -> None:
    broken = WHOLE.replace(b"lease: 20s", b"lease: 1s").replace(b"tmpfs: any", b"tmpfs: no")
    with pytest.raises(AccessPolicyError) as caught:
        read_plan(broken, "prod")
    assert len(caught.value.problems) == 2


def test_a_consumer_needs_an_environment() -> None:
    with pytest.raises(AccessPolicyError, match=r"no environment is known.*V2_ENVIRONMENT"):
        read_plan(WHOLE, None)


def test_nothing_of_a_pasted_value_is_repeated() -> None:
    pasted = WHOLE.replace(b"secret://token?field=t", b"s3cr3t-pasted-by-accident")
    with pytest.raises(AccessPolicyError) as caught:
        read_plan(pasted, "prod")
    assert "s3cr3t" not in str(caught.value)


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(AccessPolicyError, match="name at least one directory"):
        read_plan(b"version: 1\ndirectories: []", "prod")


def test_a_file_that_cannot_be_read_is_said_without_its_content(tmp_path: Path) -> None:
    with pytest.raises(AccessPolicyError, match="cannot be read"):
        read_plan_file(tmp_path / "none.yaml", "prod")
