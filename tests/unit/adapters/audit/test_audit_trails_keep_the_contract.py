"""The fake, the file and the fan-out keep the contract of audit trails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from adapters.audit.file import AuditFile, AuditFileConfig, FsyncPolicy
from adapters.audit.sink import AuditFanOut
from tests.contracts.audit import AuditContract, AuditOutputContract, ids
from tests.fakes.audit import FakeAuditTrail
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path


class TestFakeAuditTrail(AuditContract):
    @pytest.fixture(autouse=True)
    def _make(self) -> None:
        self._trail = FakeAuditTrail()

    @override
    def trail(self) -> FakeAuditTrail:
        return self._trail

    @override
    async def start(self) -> None:
        """It needs no opening."""

    @override
    async def close(self) -> None:
        """Nor closing."""

    @override
    async def kept(self) -> list[str]:
        return ids(self._trail.events)


class _FileContract(AuditOutputContract):
    fsync = FsyncPolicy.BATCH

    @pytest.fixture(autouse=True)
    def _make(self, tmp_path: Path) -> None:
        self._path = tmp_path / "audit.jsonl"
        self._file = AuditFile(AuditFileConfig(self._path, self.fsync), FakeClock())

    @override
    def trail(self) -> AuditFile:
        return self._file

    @override
    async def start(self) -> None:
        await self._file.start()

    @override
    async def close(self) -> None:
        await self._file.aclose()

    @override
    async def raw(self) -> bytes:
        return self._path.read_bytes()


class TestAuditFile(_FileContract):
    pass


class TestAuditFileLeftToTheSystem(_FileContract):
    fsync = FsyncPolicy.NEVER


class TestAuditFileOneByOne(_FileContract):
    fsync = FsyncPolicy.ALWAYS
    many = 100  # the disk is waited for each time


class TestAuditFanOut(AuditOutputContract):
    @pytest.fixture(autouse=True)
    def _make(self, tmp_path: Path) -> None:
        self._paths = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
        self._trail = AuditFanOut(
            [
                AuditFile(AuditFileConfig(path, FsyncPolicy.NEVER), FakeClock())
                for path in self._paths
            ]
        )

    @override
    def trail(self) -> AuditFanOut:
        return self._trail

    @override
    async def start(self) -> None:
        await self._trail.start()

    @override
    async def close(self) -> None:
        await self._trail.aclose()

    @override
    async def raw(self) -> bytes:
        one, other = (path.read_bytes() for path in self._paths)
        assert one == other
        return one
