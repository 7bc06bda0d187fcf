"""The files of a rotation, step by step, interrupted, and beside a replica that starts."""

from __future__ import annotations

import os
import stat
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from adapters.crypto.seed_file import SeedFileError, read_or_create_seed, read_seed
from adapters.crypto.xkeys import SodiumXKeyPair
from bootstrap.seed_rotation import Rotation, Step, next_of, retired_of
from bootstrap.server_keys import load_server_keys
from bootstrap.settings import Settings, SettingsError
from tests.support.environments import configuration, infisical_environment, new_xkey_seed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def seed_file(tmp_path: Path) -> Path:
    path = tmp_path / "server.seed"
    path.write_text(new_xkey_seed() + "\n")
    path.chmod(0o600)
    return path


def settings(path: Path, **more: Any) -> Settings:
    values = infisical_environment() | {"SERVER_XKEY_SEED_FILE": path} | more
    return configuration(**values).service


def known(path: Path) -> list[str]:
    ring = load_server_keys(settings(path))
    return [ring.current.public, *(pair.public for pair in ring.retired)]


def public(path: Path) -> str:
    return SodiumXKeyPair.from_seed(path.read_text().strip()).public


def test_a_rotation_has_three_steps_and_the_service_knows_both_keys_between(
    seed_file: Path,
) -> None:
    old = public(seed_file)
    assert Rotation.read(seed_file).step is Step.PREPARE
    new = Rotation.read(seed_file).prepare().public
    assert known(seed_file) == [old, new]

    assert Rotation.read(seed_file).step is Step.ANNOUNCE
    Rotation.read(seed_file).announce()
    assert known(seed_file) == [new, old]

    assert Rotation.read(seed_file).step is Step.FINISH
    Rotation.read(seed_file).finish()
    assert known(seed_file) == [new]
    assert Rotation.read(seed_file).step is Step.PREPARE


@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_whoever_may_read_the_file_may_read_those_beside_it(seed_file: Path, mode: int) -> None:
    seed_file.chmod(mode)

    Rotation.read(seed_file).prepare()
    assert stat.S_IMODE(next_of(seed_file).stat().st_mode) == mode
    Rotation.read(seed_file).announce()

    assert stat.S_IMODE(seed_file.stat().st_mode) == mode
    assert stat.S_IMODE(retired_of(seed_file).stat().st_mode) == mode


def test_an_interrupted_swap_goes_on_where_it_was(seed_file: Path) -> None:
    old = public(seed_file)
    new = Rotation.read(seed_file).prepare().public
    retired_of(seed_file).write_text(seed_file.read_text())

    assert known(seed_file) == [old, new]
    assert Rotation.read(seed_file).step is Step.ANNOUNCE
    Rotation.read(seed_file).announce()

    assert known(seed_file) == [new, old]


@pytest.mark.parametrize("moments", sorted(set(permutations("sssrrr"))))
def test_however_a_start_and_the_swap_interleave_both_keys_are_known(
    seed_file: Path, moments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The three reads (r) of a start between the moments (s) before, amid and after the swap."""
    both = {public(seed_file), Rotation.read(seed_file).prepare().public}
    old = seed_file.read_text()
    swap: list[Callable[[], object]] = [
        lambda: None,
        lambda: retired_of(seed_file).write_text(old),
        lambda: next_of(seed_file).replace(seed_file),
    ]
    schedule = list(moments)

    def catch_up() -> None:
        while schedule and schedule.pop(0) == "s":
            swap.pop(0)()

    def watched_read(path: Path) -> Any:
        catch_up()
        return read_seed(path)

    def watched_read_or_create(path: Path, generate: Any) -> Any:
        catch_up()
        return read_or_create_seed(path, generate)

    monkeypatch.setattr("adapters.crypto.xkey_file.read_seed", watched_read)
    monkeypatch.setattr("adapters.crypto.xkey_file.read_or_create_seed", watched_read_or_create)

    assert set(known(seed_file)) == both


def test_inline_seeds_come_after_those_of_files_and_none_twice(seed_file: Path) -> None:
    Rotation.read(seed_file).prepare()
    inline = [seed_file.read_text().strip(), next_of(seed_file).read_text().strip()]
    third = new_xkey_seed()

    ring = load_server_keys(
        settings(seed_file, SERVER_XKEY_RETIRED_SEEDS=",".join([*inline, third]))
    )

    assert [pair.public for pair in ring.retired] == [
        public(next_of(seed_file)),
        SodiumXKeyPair.from_seed(third).public,
    ]


def test_a_file_beside_it_that_holds_no_seed_is_a_wrong_setting(seed_file: Path) -> None:
    next_of(seed_file).write_text("canary")

    with pytest.raises(SettingsError, match=r"SERVER_XKEY_SEED_FILE \(\.next\)") as caught:
        load_server_keys(settings(seed_file))

    assert "canary" not in str(caught.value)
    with pytest.raises(SeedFileError, match="which no seed can hold"):
        Rotation.read(seed_file)


def test_without_the_file_there_is_nothing_to_rotate(tmp_path: Path) -> None:
    with pytest.raises(SeedFileError, match="There is no file"):
        Rotation.read(tmp_path / "server.seed")


def test_a_second_rotation_waits_for_the_end_of_the_first(seed_file: Path) -> None:
    retired_of(seed_file).write_text(new_xkey_seed())
    next_of(seed_file).write_text(new_xkey_seed())

    with pytest.raises(SeedFileError, match="from another rotation"):
        _ = Rotation.read(seed_file).step


def test_a_file_that_appears_meanwhile_is_kept(seed_file: Path) -> None:
    rotation = Rotation.read(seed_file)
    other = new_xkey_seed()
    next_of(seed_file).write_text(other)

    with pytest.raises(SeedFileError, match="run this again"):
        rotation.prepare()

    assert next_of(seed_file).read_text() == other


def test_a_file_that_the_service_could_not_read_is_not_left_behind(
    seed_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.fchown", refused)

    with pytest.raises(SeedFileError, match="as their owner"):
        Rotation.read(seed_file).prepare()

    assert not next_of(seed_file).exists()
    assert list(seed_file.parent.iterdir()) == [seed_file]


def test_files_that_are_gone_cannot_be_swapped_or_removed(seed_file: Path) -> None:
    Rotation.read(seed_file).prepare()
    rotation = Rotation.read(seed_file)
    next_of(seed_file).unlink()

    with pytest.raises(SeedFileError, match="cannot be changed"):
        rotation.announce()
    retired_of(seed_file).unlink()
    with pytest.raises(SeedFileError, match="cannot be changed"):
        rotation.finish()


def test_root_rotates_nothing_in_the_service_users_folder(
    seed_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service user could have put a link to a root-only file where one is changed by path."""
    rotation = Rotation.read(seed_file)
    if os.geteuid() == 0:
        os.chown(seed_file.parent, 54321, 54321)
    monkeypatch.setattr("adapters.system.file_lookup.process_user", lambda: 0)

    for step in (rotation.prepare, rotation.announce, rotation.finish):
        with pytest.raises(SeedFileError, match="another user owns its folder"):
            step()
    assert list(seed_file.parent.iterdir()) == [seed_file]


def test_a_link_swapped_in_for_a_new_file_gets_nobody_elses_file_opened_to_others(
    seed_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_file.chmod(0o644)
    root_only = seed_file.parent / "root-only"
    root_only.write_text("private")
    root_only.chmod(0o600)
    real_link = os.link

    def link_then_swap(*names: Any, **folders: Any) -> None:
        real_link(*names, **folders)
        # Between the file's birth and whatever might be done to it by its name.
        next_of(seed_file).unlink()
        next_of(seed_file).symlink_to(root_only)

    monkeypatch.setattr("os.link", link_then_swap)
    Rotation.read(seed_file).prepare()

    assert stat.S_IMODE(root_only.stat().st_mode) == 0o600
    assert root_only.read_text() == "private"


def test_a_seed_file_that_is_a_link_is_not_rotated(seed_file: Path) -> None:
    real = seed_file.with_name("elsewhere")
    seed_file.rename(real)
    seed_file.symlink_to(real)
    rotation = Rotation.read(seed_file)

    with pytest.raises(SeedFileError, match="symbolic link"):
        rotation.prepare()
    assert not next_of(seed_file).exists()
