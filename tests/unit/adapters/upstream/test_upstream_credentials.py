"""Credentials from the settings and from a file that changes while the service runs."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from typing_extensions import override

from adapters.upstream.credentials import (
    MAX_FILE_BYTES,
    POLL_SECONDS,
    CredentialSource,
    text_source,
    until_changed,
)
from domain.model.errors import UpstreamError
from tests.fakes.clock import FakeClock
from tests.support.settling import settle

if TYPE_CHECKING:
    from pathlib import Path

REASON = "a_store_credentials_unreadable"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "client-secret"


def put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def source_of(path: Path) -> CredentialSource:
    # The file may be missing: it was there when the settings were read.
    return text_source(None, path, "A_SECRET_FILE", REASON)


def configured() -> CredentialSource:
    return text_source(SecretStr(" canary\n"), None, "A_SECRET_FILE", REASON)


async def secret_in(path: Path) -> str:
    return (await source_of(path).read()).get_secret_value()


async def test_a_configured_secret_is_used_without_the_space_around_it() -> None:
    source = configured()

    assert not source.may_change
    assert (await source.read()).get_secret_value() == "canary"


async def test_a_file_is_read_anew_each_time(path: Path) -> None:
    put(path, b"canary-1\n")
    assert await secret_in(path) == "canary-1"

    put(path, b"  canary-2  \r\n")
    assert await secret_in(path) == "canary-2"


async def test_the_swapped_links_of_a_mounted_secret_are_followed(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"..version-{number}").mkdir()
        (tmp_path / f"..version-{number}" / "secret").write_text(f"canary-{number}")
    data, path = tmp_path / "..data", tmp_path / "secret"
    data.symlink_to("..version-1")
    path.symlink_to("..data/secret")
    assert await secret_in(path) == "canary-1"

    (tmp_path / "..data_tmp").symlink_to("..version-2")
    (tmp_path / "..data_tmp").rename(data)

    assert await secret_in(path) == "canary-2"


async def refusal_of(path: Path) -> str:
    with pytest.raises(UpstreamError) as failure:
        await source_of(path).read()
    assert failure.value.reason == REASON
    assert failure.value.__context__ is None
    assert "A_SECRET_FILE" in failure.value.advice
    assert "canary" not in failure.value.advice
    assert str(path) not in failure.value.advice
    return failure.value.advice


async def test_a_file_that_is_gone_is_said_to_be(path: Path) -> None:
    assert "is gone" in await refusal_of(path)


@pytest.mark.parametrize("content", [b"", b" \n\n", b"\t"])
async def test_an_empty_file_is_said_to_be(path: Path, content: bytes) -> None:
    put(path, content)

    assert "is empty" in await refusal_of(path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"canary\xff\xfe", "no text in UTF-8"),
        (b"canary" * MAX_FILE_BYTES, "is longer than"),
        (b"canary\ncanary", "several lines"),
        ("canary\u200bcanary".encode(), "U+200B (zero width space)"),
        (b"'canary'", "quotes around"),
    ],
)
async def test_what_is_no_client_secret_is_not_sent(
    path: Path, content: bytes, problem: str
) -> None:
    put(path, content)

    assert problem in await refusal_of(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
async def test_what_an_editor_adds_is_not_sent(path: Path, encoding: str) -> None:
    put(path, "canary\r\n".encode(encoding))

    assert await secret_in(path) == "canary"


async def test_a_folder_or_pipe_is_not_waited_for(path: Path, tmp_path: Path) -> None:
    assert "no regular file" in await refusal_of(tmp_path)
    os.mkfifo(path)
    assert "no regular file" in await refusal_of(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_the_right_to_read_it_is_said_to_be(path: Path) -> None:
    path.write_text("canary")
    path.chmod(0)

    assert "EACCES" in asyncio.run(refusal_of(path))


def test_a_path_that_runs_in_circles_is_said_to_be_unreadable(path: Path) -> None:
    path.symlink_to(path)

    assert "ELOOP" in asyncio.run(refusal_of(path))


class ScriptedSource(CredentialSource):
    """Gives one after the other, the last one for ever; None cannot be read."""

    def __init__(self, *secrets: str | None) -> None:
        self.may_change = True
        self.left = list(secrets)

    @override
    async def read(self) -> SecretStr:
        secret = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        if secret is None:
            raise UpstreamError("Gone.", reason=REASON)
        return SecretStr(secret)


async def polls_until_changed(source: CredentialSource, used: str | None) -> int:
    clock = FakeClock()
    before = None if used is None else SecretStr(used)
    waiting = asyncio.create_task(until_changed(source, lambda: before, clock))
    for polls in range(1, 20):
        await settle()
        clock.advance(POLL_SECONDS)
        await settle()
        if waiting.done():
            await waiting
            return polls
    waiting.cancel()
    return 0


@pytest.mark.parametrize(
    ("secrets", "used", "polls"),
    [
        (("new",), "old", 2),
        (("old", "old", "new"), "old", 4),
        (("ne", "new"), "old", 3),
        ((None, "new"), "old", 3),
        (("new", None, "new"), "old", 4),
        (("old",), None, 2),
        (("old",), "old", 0),
        ((None,), "old", 0),
        (("new", "old"), "old", 0),
    ],
)
async def test_a_change_counts_once_it_was_seen_twice(
    secrets: tuple[str | None, ...], used: str | None, polls: int
) -> None:
    assert await polls_until_changed(ScriptedSource(*secrets), used) == polls


async def test_what_cannot_change_is_not_read_again() -> None:
    assert await polls_until_changed(configured(), None) == 0
