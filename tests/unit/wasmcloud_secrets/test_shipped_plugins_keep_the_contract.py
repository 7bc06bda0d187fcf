"""The shipped stores and the shipped transport are plug-ins like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nats.aio.client import Client
from pydantic import SecretStr
from typing_extensions import override

from adapters.infisical.plugin import PLUGIN as INFISICAL
from adapters.nats.plugin import PLUGIN as NATS
from adapters.nats_kv.plugin import PLUGIN as NATS_KV
from tests.support.environments import new_xkey_seed
from wasmcloud_secrets.testing.contexts import FakeStoreContext
from wasmcloud_secrets.testing.plugin import StorePluginContract, TransportPluginContract

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ports.store_plugin import StorePlugin
    from ports.transport_plugin import TransportPlugin


class TestInfisical(StorePluginContract):
    @override
    def plugin(self) -> StorePlugin[Any]:
        return INFISICAL

    @override
    def given(self) -> Mapping[str, Any]:
        return {
            "base_url": "http://infisical.test",
            "client_id": "id",
            "client_secret": SecretStr("secret"),
            "project_id": "project",
            "webhook_key": SecretStr("a-key-for-webhooks"),
        }


class TestNatsKv(StorePluginContract):
    @override
    def plugin(self) -> StorePlugin[Any]:
        return NATS_KV

    @override
    def given(self) -> Mapping[str, Any]:
        return {"encryption_xkey_seed": SecretStr(new_xkey_seed())}

    @override
    def context(self) -> FakeStoreContext:
        return FakeStoreContext(shared={Client: Client()})


class TestNats(TransportPluginContract):
    @override
    def plugin(self) -> TransportPlugin[Any]:
        return NATS

    @override
    def given(self) -> Mapping[str, Any]:
        return {"urls": ("nats://nats.test:4222",)}
