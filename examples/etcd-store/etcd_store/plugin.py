"""The plug-in: what the entry point in pyproject.toml names."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from typing_extensions import override

from etcd_store.api import EtcdApi
from etcd_store.settings import DEFAULT_FOLDER, EtcdSettings
from etcd_store.store import EtcdCheck, EtcdSecretStore, EtcdShape
from wasmcloud_secrets.extension import StoreParts, StorePlugin, parse_folder
from wasmcloud_secrets.http import UpstreamConfig, UpstreamResponse, open_http

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wasmcloud_secrets.extension import StoreContext, StoreShape


class EtcdPlugin(StorePlugin[EtcdSettings]):
    """Registered as `etcd`."""

    name: ClassVar[str] = "etcd"
    title: ClassVar[str] = "etcd"
    api_version: ClassVar[int] = 1
    settings = EtcdSettings
    needs_entity_token: ClassVar[bool] = False

    @override
    def warnings(self, settings: EtcdSettings) -> Sequence[str]:
        if settings.url.startswith("https:") or settings.login is None:
            return ()
        return ("The password crosses the network in clear; give ETCD_STORE_URL an https address.",)

    @override
    def shape(self, given: Mapping[str, str]) -> StoreShape:
        return EtcdShape(parse_folder(given.get("folder", DEFAULT_FOLDER)))

    @override
    def build(self, settings: EtcdSettings, context: StoreContext) -> StoreParts:
        http = open_http(upstream(settings, context), context, answers_as_etcd)
        api = EtcdApi(http, settings.login)
        folder = parse_folder(settings.folder)
        return StoreParts(
            EtcdSecretStore(api, folder),
            EtcdCheck(api, folder, context.clock),
            close=api.aclose,
        )


def upstream(settings: EtcdSettings, context: StoreContext) -> UpstreamConfig:
    """Return how etcd is reached."""
    return UpstreamConfig(
        name="etcd",
        code="etcd",
        base_url=settings.url,
        url_setting="ETCD_STORE_URL",
        ca_setting="ETCD_STORE_CA_FILE",
        ca_file=settings.ca_file,
        read_timeout_seconds=settings.read_timeout_seconds,
        user_agent=context.user_agent,
    )


def answers_as_etcd(response: UpstreamResponse) -> bool:
    """Say whether an answer below 500 is etcd's own, and not a proxy's or another server's."""
    return response.is_json


PLUGIN: Final = EtcdPlugin()
