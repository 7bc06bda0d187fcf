"""The fake, the file and the fan-out keep the contract of audit trails; no sink stops another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from typing_extensions import override

from adapters.audit.file import AuditFile
from adapters.audit.sink import AuditFanOut, AuditSinkError
from tests.contracts.audit import ANSWERED, AuditInMemoryContract, AuditOutputContract
from tests.fakes.audit import FakeAuditTrail
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    from domain.model.audit import AuditEvent


class TestFakeAuditTrail(AuditInMemoryContract):
    @pytest.fixture(autouse=True)
    def _make(self) -> None:
        self.trail = self.inner = FakeAuditTrail()


class _FileContract(AuditOutputContract):
    fsync: Literal["never", "batch", "always"] = "batch"

    @pytest.fixture(autouse=True)
    def _make(self, tmp_path: Path) -> None:
        self._path = tmp_path / "audit.jsonl"
        self.trail = AuditFile(self._path, FakeClock(), fsync=self.fsync)

    @override
    async def raw(self) -> bytes:
        return self._path.read_bytes()


class TestAuditFile(_FileContract):
    pass


class TestAuditFileLeftToTheSystem(_FileContract):
    fsync = "never"


class TestAuditFileOneByOne(_FileContract):
    fsync = "always"
    many = 100  # the disk is waited for each time


class TestAuditFanOut(AuditOutputContract):
    @pytest.fixture(autouse=True)
    def _make(self, tmp_path: Path) -> None:
        self._paths = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
        self.trail = AuditFanOut(
            [AuditFile(path, FakeClock(), fsync="never") for path in self._paths]
        )

    @override
    async def raw(self) -> bytes:
        one, other = (path.read_bytes() for path in self._paths)
        assert one == other
        return one


class FakeSink(FakeAuditTrail):
    """A sink that fails where a test says."""

    def __init__(self, *, broken: bool = False) -> None:
        super().__init__()
        self.broken = broken
        self.is_open = False

    async def start(self) -> None:
        if self.broken:
            raise AuditSinkError("It cannot work.")
        self.is_open = True

    async def aclose(self) -> None:
        self.is_open = False
        if self.broken:
            raise OSError

    @override
    def record(self, event: AuditEvent) -> None:
        if self.broken:
            raise RuntimeError
        super().record(event)


def test_it_accepts_only_what_all_of_them_accept() -> None:
    one, other = FakeSink(), FakeSink()
    trail = AuditFanOut([one, other])
    assert trail.accepts()

    other.full = True

    assert not trail.accepts()


def test_a_sink_that_fails_costs_the_others_no_event() -> None:
    one, other = FakeSink(), FakeSink()
    AuditFanOut([one, FakeSink(broken=True), other]).record(ANSWERED)

    assert one.events == other.events == [ANSWERED]


async def test_where_one_cannot_start_those_already_open_are_closed() -> None:
    one, other = FakeSink(), FakeSink()

    with pytest.raises(AuditSinkError):
        await AuditFanOut([one, FakeSink(broken=True), other]).start()

    assert not one.is_open
    assert not other.is_open


async def test_a_sink_that_fails_to_close_does_not_keep_the_others_open() -> None:
    one, broken, other = FakeSink(), FakeSink(), FakeSink()
    trail = AuditFanOut([one, broken, other])
    await trail.start()
    broken.broken = True

    await trail.aclose()

    assert not one.is_open
    assert not other.is_open
