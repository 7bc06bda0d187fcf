"""The store that docs/adding-a-store.md shows does what every store does."""

from __future__ import annotations

import os
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from domain.model.errors import UpstreamError
from domain.model.reference import SecretReference
from tests.contracts.secret_store import SecretStoreContract
from tests.unit.docs.documents import ADDING_A_STORE, code_blocks

if TYPE_CHECKING:
    from pathlib import Path

    from ports.secret_store import SecretStore


def shown_store(folder: Path) -> Any:
    """Import the page's code and return its class."""
    path = folder / "folder_store.py"
    path.write_text(code_blocks(ADDING_A_STORE, "python")[0], "utf-8")
    loader = SourceFileLoader("folder_store", str(path))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module.FolderSecretStore


class TestFolderSecretStore(SecretStoreContract):
    history = False

    @pytest.fixture(autouse=True)
    def _in(self, tmp_path: Path) -> None:
        self._folder = tmp_path / "secrets"
        self._folder.mkdir()
        self._store = shown_store(tmp_path)(self._folder)
        self._versions = count(1_700_000_000_000_000_000, 1_000_000)

    @override
    def store(self) -> SecretStore:
        store: SecretStore = self._store
        return store

    @override
    async def put(self, key: str, value: str | bytes) -> str:
        path = self._store.locate(SecretReference(key)).path
        file = self._folder / path.removeprefix("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(value.encode() if isinstance(value, str) else value)
        version = next(self._versions)
        os.utime(file, ns=(version, version))
        return str(version)

    @override
    def deadline(self) -> float:
        return 8.0

    async def test_a_folder_is_no_secret(self) -> None:
        await self.put("shop/API_KEY", "value")

        location = self.store().locate(SecretReference("shop"))
        with pytest.raises(Exception, match="No such file"):
            await self.fetch(location)

    async def test_a_file_that_cannot_be_read_fails_without_its_path(self) -> None:
        location = self.store().locate(SecretReference("x" * 1000))

        with pytest.raises(UpstreamError) as failure:
            await self.fetch(location)
        assert "xxx" not in str(failure.value)
        assert failure.value.__context__ is None


def test_the_shown_subclass_of_the_contract_is_the_one_that_runs() -> None:
    shown = code_blocks(ADDING_A_STORE, "python")[1]

    assert f"class {TestFolderSecretStore.__name__}(SecretStoreContract):" in shown
    assert "history = False" in shown
