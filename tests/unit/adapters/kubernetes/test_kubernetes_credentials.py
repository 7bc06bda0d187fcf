"""The token: read again and again, trimmed, and never sent empty."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from adapters.kubernetes.credentials import REREAD_SECONDS, FixedToken, TokenFile
from domain.model.errors import UpstreamError
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path


async def read(source: TokenFile) -> str:
    return (await source.current()).get_secret_value()


@pytest.mark.parametrize("text", ["canary-1", " canary-1\n", "\tcanary-1\r\n"])
async def test_the_blanks_around_a_token_are_dropped(tmp_path: Path, text: str) -> None:
    file = tmp_path / "token"
    file.write_text(text)

    assert await read(TokenFile(file, FakeClock())) == "canary-1"


async def test_the_file_is_read_again_after_a_while(tmp_path: Path) -> None:
    clock, file = FakeClock(), tmp_path / "token"
    file.write_text("canary-1")
    source = TokenFile(file, clock)
    await read(source)

    file.write_text("canary-2")
    clock.advance(REREAD_SECONDS - 0.1)
    before = await read(source)
    clock.advance(0.1)

    assert (before, await read(source)) == ("canary-1", "canary-2")


async def test_a_refusal_has_it_read_again_at_once(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("canary-1")
    source = TokenFile(file, FakeClock())
    await read(source)
    file.write_text("canary-2")

    assert source.refused()
    assert await read(source) == "canary-2"


async def test_the_kubelets_swap_of_the_folder_is_followed(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"data-{number}").mkdir()
        (tmp_path / f"data-{number}" / "token").write_text(f"canary-{number}")
    (tmp_path / "data").symlink_to("data-1")
    source = TokenFile(tmp_path / "data" / "token", FakeClock())
    assert await read(source) == "canary-1"

    (tmp_path / "next").symlink_to("data-2")
    (tmp_path / "next").rename(tmp_path / "data")
    source.refused()

    assert await read(source) == "canary-2"


@pytest.mark.parametrize("text", ["", " \n", "two words", "a\0b", "canary-ä", "a\nb"])
async def test_what_is_no_token_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    file = tmp_path / "token"
    file.write_text(text)

    with pytest.raises(UpstreamError) as failure:
        await TokenFile(file, FakeClock()).current()

    assert failure.value.reason == "kubernetes_token_unreadable"
    assert not text.strip() or text not in failure.value.advice


async def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UpstreamError) as failure:
        await TokenFile(tmp_path / "absent", FakeClock()).current()

    assert failure.value.reason == "kubernetes_token_unreadable"


@pytest.mark.parametrize("broken", ["gone", "empty"])
async def test_a_token_that_is_known_serves_while_the_file_is_broken(
    tmp_path: Path, broken: str
) -> None:
    file = tmp_path / "token"
    file.write_text("canary-1")
    source = TokenFile(file, FakeClock())
    await read(source)
    if broken == "gone":
        file.unlink()
    else:
        os.truncate(file, 0)
    source.refused()

    assert await read(source) == "canary-1"


async def test_a_fixed_token_is_not_tried_twice() -> None:
    source = FixedToken(SecretStr(" canary-1 "))
    token = await source.current()

    assert token.get_secret_value() == "canary-1"
    assert not source.refused()
    assert "canary" not in repr(token)


def test_an_empty_fixed_token_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="is empty"):
        FixedToken(SecretStr("  "))
