"""The suites that the service ships, and what is this store's own; respx answers as etcd does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import respx
from etcd_model import PASSWORD, URL, USER, EtcdModel, recorded
from pydantic import SecretStr
from typing_extensions import override

from etcd_store.api import EtcdApi
from etcd_store.plugin import PLUGIN, answers_as_etcd, upstream
from etcd_store.settings import EtcdSettings
from etcd_store.store import EtcdCheck, EtcdSecretStore
from wasmcloud_secrets.extension import (
    CallFailed,
    Problem,
    SecretNotFound,
    SecretReference,
    StoreMisconfiguredError,
    StoreUnreachableError,
    UpstreamError,
)
from wasmcloud_secrets.http import open_http
from wasmcloud_secrets.testing.contexts import FakeStoreContext
from wasmcloud_secrets.testing.httpx_engine import HttpxEngine
from wasmcloud_secrets.testing.plugin import StorePluginContract
from wasmcloud_secrets.testing.secret_store import OUTAGE_TEXT, SecretStoreContract

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wasmcloud_secrets.extension import Clock, SecretStore, StorePlugin

CONTEXT = FakeStoreContext(jitter=lambda: 0.0)
FOLDER = ("secrets",)
LOGIN = (USER, SecretStr(PASSWORD))


def open_api(login: tuple[str, SecretStr] | None = None) -> EtcdApi:
    config = upstream(EtcdSettings(url=URL), CONTEXT)
    return EtcdApi(open_http(config, CONTEXT, answers_as_etcd, HttpxEngine), login)


@pytest.fixture
def etcd() -> Iterator[EtcdModel]:
    model = EtcdModel()
    with respx.mock:
        respx.post(url__startswith=URL).mock(side_effect=model.answer)
        yield model


class TestEtcdSecretStore(SecretStoreContract):
    @pytest.fixture(autouse=True)
    def _etcd(self, etcd: EtcdModel) -> None:
        self.etcd = etcd
        self.under_test = EtcdSecretStore(open_api(), FOLDER)

    @override
    def store(self) -> SecretStore:
        return self.under_test

    @override
    async def put(self, key: str, value: str | bytes) -> str:
        path = self.under_test.locate(SecretReference(key)).path
        return str(self.etcd.put(path, value.encode() if isinstance(value, str) else value))

    @override
    def deadline(self) -> float:
        return CONTEXT.clock.monotonic() + 5

    @override
    async def silence(self) -> Clock:
        self.etcd.silent = True
        return CONTEXT.clock

    @override
    async def outage(self) -> None:
        self.etcd.fault = httpx.Response(503, json={"code": 14, "message": OUTAGE_TEXT})

    async def test_a_compacted_revision_is_not_found(self) -> None:
        oldest = await self.put("app/db", "old")
        self.etcd.compacted = int(await self.put("app/db", "new"))

        with pytest.raises(SecretNotFound, match="revision"):
            await self.get("app/db", oldest)


class TestEtcdPlugin(StorePluginContract):
    @override
    def plugin(self) -> StorePlugin[Any]:
        return PLUGIN

    @override
    def given(self) -> Mapping[str, Any]:
        return {"url": "http://etcd.test:2379", "user": USER, "password": PASSWORD}

    def test_a_password_in_clear_is_warned_about(self) -> None:
        assert PLUGIN.warnings(PLUGIN.settings(**self.given()))
        assert not PLUGIN.warnings(PLUGIN.settings(**self.given() | {"url": URL}))

    def test_a_user_without_a_password_is_a_problem(self) -> None:
        found = [*EtcdSettings.contradictions({"user": USER})]

        assert [problem.setting for problem in found if isinstance(problem, Problem)] == [
            "ETCD_STORE_PASSWORD"
        ]


async def test_one_login_serves_many_reads_and_is_repeated_when_its_token_ends(
    etcd: EtcdModel,
) -> None:
    etcd.wants_login = True
    etcd.put("/secrets/KEY", b"value")
    api = open_api(LOGIN)

    async def read() -> bytes:
        found = await api.get(b"/secrets/KEY", deadline=CONTEXT.clock.monotonic() + 5)
        assert found is not None
        return found.value

    assert await asyncio.gather(*(read() for _ in range(20))) == [b"value"] * 20
    assert etcd.logins == 1
    etcd.tokens.clear()
    assert await asyncio.gather(*(read() for _ in range(20))) == [b"value"] * 20
    assert etcd.logins == 2


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        (recorded("forbidden"), UpstreamError, "etcd_forbidden"),
        (recorded("no_token"), UpstreamError, "etcd_login_refused"),
        (recorded("bad_token"), UpstreamError, "etcd_login_refused"),
        (httpx.Response(500, json={"code": 2, "message": PASSWORD}), CallFailed, "etcd_failed"),
        (httpx.Response(200, json=[PASSWORD]), UpstreamError, "etcd_unlike"),
        (
            httpx.Response(200, json={"kvs": [{"mod_revision": "1", "value": PASSWORD}]}),
            UpstreamError,
            "etcd_unlike",
        ),
    ],
)
async def test_each_refusal_is_a_typed_error_without_etcd_s_words(
    etcd: EtcdModel, answer: httpx.Response, error: type[UpstreamError], reason: str
) -> None:
    etcd.fault = answer

    with pytest.raises(error) as caught:
        await open_api().get(b"/secrets/KEY", deadline=CONTEXT.clock.monotonic() + 5)

    assert caught.value.reason == reason
    assert "etcdserver" not in caught.value.advice
    assert PASSWORD not in repr(caught.value)


async def test_the_check_tells_a_wrong_password_from_an_outage(etcd: EtcdModel) -> None:
    etcd.wants_login = True
    await EtcdCheck(open_api(LOGIN), FOLDER, CONTEXT.clock).check()

    wrong = open_api((USER, SecretStr("another")))
    with pytest.raises(StoreMisconfiguredError, match="ETCD_STORE_PASSWORD"):
        await EtcdCheck(wrong, FOLDER, CONTEXT.clock).check()

    etcd.fault = httpx.Response(503, json={"code": 14, "message": "etcdserver: no leader"})
    with pytest.raises(StoreUnreachableError, match="etcd"):
        await EtcdCheck(open_api(LOGIN), FOLDER, CONTEXT.clock).check()
