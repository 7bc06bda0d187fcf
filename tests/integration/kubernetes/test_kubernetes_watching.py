"""Watches over a real connection: a change is told, whatever becomes of the connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from domain.model.selection import Selection
from tests.support.infisical_server import Break
from tests.support.kubernetes_model import ACCOUNT, Right
from tests.support.kubernetes_server import KubernetesServer
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.integration.kubernetes.conftest import OpenAdapter

DB = Selection.one("/db", (("namespace", "shop"),))
LIVE = ("kubernetes_watches", ("state", "live"))


def port_of(server: KubernetesServer) -> int:
    return int(server.url.rpartition(":")[2])


async def live(server: KubernetesServer, watches: int = 1) -> None:
    """Wait until all watches are open."""
    await until(lambda: server.open_watches == watches)


async def test_a_change_is_told_to_all_replicas(open_adapter: OpenAdapter) -> None:
    async with KubernetesServer() as server:
        server.model.put("shop", "db", {"password": "old"})
        server.model.put("pay", "db", {"password": "old"})
        adapter = open_adapter(server.url, watch=True)
        await live(server)
        server.model.put("shop", "db", {"password": "new"})
        server.model.put("pay", "db", {"password": "new"})
        await until(lambda: bool(adapter.context.told))
        await asyncio.sleep(0.3)

        assert adapter.context.told == [DB]
        assert adapter.figure("kubernetes_changes_total", ("told_by", "self")) == 1
        assert adapter.parts.degraded() is None
        watch = next(call for call in server.model.calls if "watch" in call.query)
        assert "PartialObjectMetadata" in watch.headers["accept"]
        assert adapter.parts.announces_changes


@pytest.mark.parametrize(("cut", "cause"), [(False, "ended"), (True, "broken")])
async def test_a_watch_that_ends_goes_on_without_missing_a_change(
    open_adapter: OpenAdapter, cut: bool, cause: str
) -> None:
    async with KubernetesServer() as server:
        server.model.put("shop", "db", {"password": "old"})
        adapter = open_adapter(server.url, watch=True)
        await live(server)
        await asyncio.sleep(1.1)
        server.end_watches(cut=cut)
        server.model.put("shop", "db", {"password": "new"})
        await until(lambda: bool(adapter.context.told))

        assert adapter.context.told == [DB]
        assert adapter.figure("kubernetes_watch_ends_total", ("cause", cause)) == 1


async def test_a_restarted_server_tells_what_changed_meanwhile(open_adapter: OpenAdapter) -> None:
    async with KubernetesServer() as server:
        server.model.put("shop", "same", {"password": "old"})
        server.model.put("shop", "db", {"password": "old"})
        adapter = open_adapter(server.url, watch=True)
        await live(server)
        await asyncio.sleep(1.1)
        server.model.put("shop", "db", {"password": "new"})
        server.model.restart()
        server.end_watches()
        await until(lambda: bool(adapter.context.told))

        assert adapter.context.told == [DB]


@pytest.mark.parametrize("forgets", [False, True])
async def test_a_change_that_its_end_kept_from_the_watch_is_told_once_the_server_is_back(
    open_adapter: OpenAdapter,
    forgets: bool,
) -> None:
    async with KubernetesServer() as server, TcpProxy(port_of(server)) as front:
        server.model.put("shop", "db", {"password": "old"})
        adapter = open_adapter(f"http://127.0.0.1:{front.port}", watch=True)
        await live(server)
        front.refuses = True
        front.cut()
        server.model.put("shop", "db", {"password": "new"})
        if forgets:
            server.model.restart()
        ends = ("cause", "broken")
        await until(lambda: adapter.figure("kubernetes_watch_ends_total", ends) > 2)
        assert adapter.context.told == []
        front.refuses = False
        await until(lambda: bool(adapter.context.told))

        assert adapter.context.told == [DB]


async def test_what_was_read_before_the_watch_was_complete_is_not_missed(
    open_adapter: OpenAdapter,
) -> None:
    async with KubernetesServer() as server:
        server.model.put("shop", "db", {"password": "old"})
        server.model.rights = {Right(ACCOUNT, "get"), Right(ACCOUNT, "list")}
        adapter = open_adapter(server.url, watch=True)
        await adapter.get("db", "password")
        await until(lambda: adapter.figure("kubernetes_watch_ends_total", ("cause", "refused")) > 0)
        server.model.put("shop", "db", {"password": "new"})
        server.model.rights.add(Right(ACCOUNT, "watch"))
        await until(lambda: bool(adapter.context.told))

        assert adapter.context.told == [DB]


async def test_a_watch_that_is_denied_disturbs_no_read_and_is_advised_of(
    open_adapter: OpenAdapter,
) -> None:
    async with KubernetesServer() as server:
        server.model.put("shop", "db", {"password": "value"})
        server.model.rights = {Right(ACCOUNT, "get")}
        adapter = open_adapter(server.url, watch=True)
        await until(lambda: adapter.figure("kubernetes_watch_ends_total", ("cause", "refused")) > 0)

        assert (await adapter.get("db", "password")).value.reveal() == "value"
        await until(lambda: adapter.figure(LIVE[0], ("state", "down")) == 1)
        assert adapter.figure("kubernetes_watch_down_seconds") > 0
        assert "RBAC denies list or watch" in (adapter.parts.degraded() or "")


async def test_where_secrets_are_named_each_has_a_watch(open_adapter: OpenAdapter) -> None:
    async with KubernetesServer() as server:
        server.model.rights = {
            Right(ACCOUNT, verb, "shop", name)
            for verb in ("get", "list", "watch")
            for name in ("db", "card")
        }
        adapter = open_adapter(server.url, watch=True, allowed_secrets=("db", "card"))
        await live(server, 2)
        server.model.put("shop", "other", {"a": "b"})
        server.model.put("shop", "db", {"a": "b"})
        await until(lambda: bool(adapter.context.told))

        assert adapter.context.told == [DB]
        await adapter.parts.check.check()


async def test_a_server_that_goes_away_is_looked_for_though_its_watch_stays_silent(
    open_adapter: OpenAdapter,
) -> None:
    async with KubernetesServer() as server:
        server.model.put("shop", "db", {"password": "old"})
        adapter = open_adapter(server.url, watch=True)
        await live(server)
        await asyncio.sleep(2.1)
        server.breaks = [Break.CLOSE]
        await adapter.get("db", "password")
        await until(
            lambda: adapter.figure("kubernetes_watch_ends_total", ("cause", "reopened")) == 1
        )
        server.model.put("shop", "db", {"password": "new"})
        await until(lambda: bool(adapter.context.told))

        assert adapter.context.told == [DB]
