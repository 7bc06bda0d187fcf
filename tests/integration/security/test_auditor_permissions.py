"""The auditor's user in deploy/nats: it reads the audit streams, and may do nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.security.roles import SUBJECTS

if TYPE_CHECKING:
    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.security.roles import LogIn

AUDIT = "SECRETS_AUDIT"
BUCKET = "KV_WASMCLOUD_SECRETS"
ITS_OWN = {f"STREAM.INFO.{AUDIT}", f"STREAM.MSG.GET.{AUDIT}"}
CALLS = {
    "INFO",
    "STREAM.LIST",
    "STREAM.CREATE.OTHER",
    *(
        f"{call}.{stream}{rest}"
        for stream in (AUDIT, BUCKET)
        for call, rest in (
            ("STREAM.INFO", ""),
            ("STREAM.MSG.GET", ""),
            ("STREAM.CREATE", ""),
            ("STREAM.UPDATE", ""),
            ("STREAM.DELETE", ""),
            ("STREAM.PURGE", ""),
            ("STREAM.MSG.DELETE", ""),
            ("STREAM.SNAPSHOT", ""),
            ("STREAM.RESTORE", ""),
            ("DIRECT.GET", ""),
            ("DIRECT.GET", ".subject"),
            ("CONSUMER.CREATE", ""),
            ("CONSUMER.CREATE", ".name"),
            ("CONSUMER.DURABLE.CREATE", ".name"),
        )
    ),
}
OTHER_SUBJECTS = [
    "$KV.WASMCLOUD_SECRETS.KEY",
    SUBJECTS.of("get"),
    SUBJECTS.of("server_xkey"),
    "wasmcloud.secrets.audit.v1",
    "wasmcloud.secrets.audit.refused.v1",
    "wasmcloud.secrets.control.infisical.flush",
    "wasmcloud.secrets.control.infisical.invalidate",
    "wasmcloud.secrets.events.infisical.changed",
    "_INBOX.secrets-backend.x",
    "anything.else",
]


# The second as accounts.conf has JetStream in the accounts of people.
@pytest.mark.parametrize("prefix", ["$JS.API", "JS.SECRETS.API"])
async def test_jetstream_lets_it_read_the_audit_streams_and_call_nothing_else(
    shipped_server: LocalNatsServer, log_in: LogIn, prefix: str
) -> None:
    auditor = await log_in(shipped_server, "auditor")

    allowed = {call for call in CALLS if await auditor.may_publish(f"{prefix}.{call}")}

    assert allowed in (set(), ITS_OWN)


async def test_one_of_the_prefixes_is_its_own(
    shipped_server: LocalNatsServer, log_in: LogIn
) -> None:
    auditor = await log_in(shipped_server, "auditor")

    prefixes = ("$JS.API", "JS.SECRETS.API")
    may_read = [await auditor.may_publish(f"{each}.STREAM.INFO.{AUDIT}") for each in prefixes]

    assert sorted(may_read) == [False, True]


async def test_it_asks_writes_orders_and_hears_nothing(
    shipped_server: LocalNatsServer, log_in: LogIn
) -> None:
    auditor = await log_in(shipped_server, "auditor")

    assert [each for each in OTHER_SUBJECTS if await auditor.may_publish(each)] == []
    for subject in (">", "wasmcloud.secrets.>", "$KV.>"):
        assert not await auditor.may_subscribe(subject)
