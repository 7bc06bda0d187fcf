"""A key of etcd is a secret; the revision that wrote it is its version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from wasmcloud_secrets.extension import (
    Clock,
    InvalidRequest,
    PolicyError,
    Secret,
    SecretLocation,
    SecretNotFound,
    SecretsError,
    SecretStore,
    SecretValue,
    StoreCheck,
    StoreMisconfiguredError,
    StoreShape,
    StoreUnavailable,
    StoreUnreachableError,
    parse_key,
)

if TYPE_CHECKING:
    from etcd_store.api import EtcdApi
    from wasmcloud_secrets.extension import SecretQuery, SecretReference

CHECK_SECONDS: Final = 5.0
_REVISION = re.compile(r"[1-9][0-9]{0,17}")


class EtcdShape(StoreShape):
    """What can be asked for, without etcd.

    Args:
        folder: what relative keys stand below.
    """

    def __init__(self, folder: tuple[str, ...]) -> None:
        self._folder = folder

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        if reference.properties:
            raise PolicyError(
                "This store knows no policy properties; remove them from the manifest.",
                reason="policy_property_unknown",
            )
        key = parse_key(reference.key)
        folders = key.below(self._folder)
        if folders[: len(self._folder)] != self._folder:
            raise InvalidRequest(
                "The key is outside ETCD_STORE_FOLDER; write it without a slash in front.",
                reason="key_outside",
            )
        return SecretLocation("/" + "/".join((*folders, key.name)))

    @override
    def check_version(self, version: str) -> None:
        if not _REVISION.fullmatch(version):
            raise InvalidRequest(
                "A version is a revision of etcd, a whole number.", reason="version_malformed"
            )


class EtcdSecretStore(EtcdShape, SecretStore):
    """Reads keys below one folder."""

    def __init__(self, api: EtcdApi, folder: tuple[str, ...]) -> None:
        super().__init__(folder)
        self._api = api

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        wanted = query.version
        if wanted is not None:
            self.check_version(wanted)
        entry = await self._api.get(
            query.location.path.encode(), deadline=query.deadline, revision=int(wanted or 0)
        )
        # At a revision a key is as an earlier one left it; only its own is the version asked for.
        if entry is None or wanted not in {None, str(entry.revision)}:
            raise SecretNotFound("No such key, or not in that version; `etcdctl get` shows it.")
        return Secret(str(entry.revision), _value(entry.value))


class EtcdCheck(StoreCheck):
    """Says at start, and to probes, whether the login holds and etcd answers reads."""

    def __init__(self, api: EtcdApi, folder: tuple[str, ...], clock: Clock) -> None:
        self._api = api
        self._key = ("/" + "/".join((*folder, "check"))).encode()
        self._clock = clock

    @override
    async def check(self) -> None:
        failed: SecretsError | None = None
        try:
            await self._api.get(self._key, deadline=self._clock.monotonic() + CHECK_SECONDS)
        except SecretsError as error:
            failed = error
        match failed:
            case None:
                return
            case StoreUnavailable():
                raise StoreUnreachableError(failed.advice)
            case _:
                raise StoreMisconfiguredError(failed.advice)


def _value(content: bytes) -> SecretValue:
    try:
        return SecretValue(content.decode())
    except UnicodeDecodeError:
        return SecretValue(content)
