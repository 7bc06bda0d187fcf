"""The suites that the service ships, and what is this store's own."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from folder_store.plugin import PLUGIN
from folder_store.store import FolderCheck, FolderSecretStore
from folder_store.watch import FolderWatch
from wasmcloud_secrets.extension import (
    SecretReference,
    Selection,
    StoreMisconfiguredError,
    StoreUnavailable,
)
from wasmcloud_secrets.testing import FakeStoreContext, SecretStoreContract, StorePluginContract

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wasmcloud_secrets.extension import SecretStore, StorePlugin


class TestFolderSecretStore(SecretStoreContract):
    history = False  # a file has no older versions

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        self.written = 0
        self.under_test = FolderSecretStore(tmp_path)
        self.clock = FakeStoreContext().clock

    @override
    def store(self) -> SecretStore:
        return self.under_test

    @override
    async def put(self, key: str, value: str | bytes) -> str:
        path = self.folder / self.under_test.locate(SecretReference(key)).path[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(value.encode() if isinstance(value, str) else value)
        # Each file its own time, however coarse the file system's clock is.
        self.written += 1
        os.utime(path, ns=(self.written, self.written))
        return str(path.stat().st_mtime_ns)

    @override
    def deadline(self) -> float:
        return self.clock.monotonic() + 5


class TestFolderPlugin(StorePluginContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    @override
    def plugin(self) -> StorePlugin[Any]:
        return PLUGIN

    @override
    def given(self) -> Mapping[str, Any]:
        return {"path": self.folder}

    def test_a_folder_that_every_user_may_write_to_is_warned_about(self) -> None:
        assert not PLUGIN.warnings(PLUGIN.settings(path=self.folder))
        self.folder.chmod(0o777)

        assert PLUGIN.warnings(PLUGIN.settings(path=self.folder))


async def test_a_folder_that_is_not_there_is_a_misconfiguration(tmp_path: Path) -> None:
    await FolderCheck(tmp_path).check()

    with pytest.raises(StoreMisconfiguredError, match="FOLDER_STORE_PATH"):
        await FolderCheck(tmp_path / "missing").check()


async def test_a_file_that_cannot_be_read_is_an_outage_and_no_missing_secret(
    tmp_path: Path,
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    store = TestFolderSecretStore()
    store.under_test, store.clock = FolderSecretStore(tmp_path), FakeStoreContext().clock

    with pytest.raises(StoreUnavailable) as caught:
        await store.get("loop")
    assert caught.value.__context__ is None


async def test_a_changed_file_is_announced(tmp_path: Path) -> None:
    (tmp_path / "KEY").write_text("old")
    context = FakeStoreContext()
    watching = asyncio.create_task(FolderWatch(tmp_path, 0.01, context).run())
    await asyncio.sleep(0.1)

    os.utime(tmp_path / "KEY", ns=(1, 1))
    (tmp_path / "NEW").write_text("value")

    async with asyncio.timeout(5):
        while len(context.changes) < 2:
            await asyncio.sleep(0.01)
    watching.cancel()
    assert set(context.changes) == {Selection.one("/KEY"), Selection.one("/NEW")}


async def test_a_change_while_the_folder_could_not_be_read_is_announced_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "KEY").write_text("old")
    context = FakeStoreContext()
    watch = FolderWatch(tmp_path, 0.01, context)

    def failing(_: Path) -> dict[str, int]:
        raise OSError

    watching = asyncio.create_task(watch.run())
    await asyncio.sleep(0.1)
    with monkeypatch.context() as unreadable:
        unreadable.setattr("folder_store.watch._versions", failing)
        with pytest.raises(OSError):  # noqa: PT011  as raised above
            await watching
    os.utime(tmp_path / "KEY", ns=(1, 1))
    watching = asyncio.create_task(watch.run())

    async with asyncio.timeout(5):
        while not context.changes:
            await asyncio.sleep(0.01)
    watching.cancel()
    assert context.changes == [Selection.one("/KEY")]
