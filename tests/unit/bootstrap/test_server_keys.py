"""Where the service's keys come from, and what happens when they cannot be had."""

from __future__ import annotations

import io
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from adapters.crypto.seed_file import SeedFileError, read_or_create_seed, write_seed
from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.telemetry.log_setup import configure_logging
from bootstrap.server_keys import load_server_keys
from bootstrap.settings import Settings, SettingsError
from tests.support.environments import configuration, infisical_environment, new_xkey_seed

if TYPE_CHECKING:
    from pathlib import Path


def settings(**variables: Any) -> Settings:
    values = infisical_environment() | variables
    return configuration(**values).service


@pytest.fixture
def log_text() -> io.StringIO:
    stream = io.StringIO()
    configure_logging("debug", "json", stream)
    return stream


def test_a_seed_gives_the_same_key_at_every_start() -> None:
    seed = new_xkey_seed()

    keys = load_server_keys(settings(SERVER_XKEY_SEED=seed))

    assert keys.current.public == SodiumXKeyPair.from_seed(seed).public


def test_a_missing_file_is_made_for_the_owner_alone_and_read_at_the_next_start(
    tmp_path: Path, log_text: io.StringIO
) -> None:
    path = tmp_path / "server.seed"

    first = load_server_keys(settings(SERVER_XKEY_SEED_FILE=path))
    second = load_server_keys(settings(SERVER_XKEY_SEED_FILE=path))

    assert first.current.public == second.current.public
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert log_text.getvalue().count("seed_file.created") == 1
    assert path.read_text().strip() not in log_text.getvalue()


def test_even_under_the_strictest_umask_the_next_start_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "server.seed"
    before = os.umask(0o777)
    try:
        load_server_keys(settings(SERVER_XKEY_SEED_FILE=path))
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_a_seed_a_fresh_key_is_made_and_a_warning_says_what_that_means(
    log_text: io.StringIO,
) -> None:
    keys = load_server_keys(settings())

    record = json.loads(log_text.getvalue())
    assert (record["event"], record["level"]) == ("server_xkey.generated", "warning")
    assert record["server_xkey"] == keys.current.public
    assert "SERVER_XKEY_SEED_FILE" in record["advice"]


def test_retired_seeds_are_kept_in_order() -> None:
    seeds = [new_xkey_seed() for _ in range(3)]

    keys = load_server_keys(
        settings(SERVER_XKEY_SEED=seeds[0], SERVER_XKEY_RETIRED_SEEDS=",".join(seeds[1:]))
    )

    retired = [SodiumXKeyPair.from_seed(seed).public for seed in seeds[1:]]
    assert [pair.public for pair in keys.retired] == retired


def test_a_file_that_others_can_read_is_used_with_a_warning(
    tmp_path: Path, log_text: io.StringIO
) -> None:
    path = tmp_path / "server.seed"
    path.write_text(new_xkey_seed())
    path.chmod(0o640)

    load_server_keys(settings(SERVER_XKEY_SEED_FILE=path))

    record = json.loads(log_text.getvalue())
    assert (record["event"], record["level"]) == ("seed_file.open_to_others", "warning")


@pytest.mark.parametrize("content", ["", "canary-91be", "SX" + "A" * 56, "SUACANARY\n\n"])
def test_a_file_that_holds_no_seed_is_a_wrong_setting(tmp_path: Path, content: str) -> None:
    path = tmp_path / "server.seed"
    path.write_text(content)

    with pytest.raises(SettingsError) as caught:
        load_server_keys(settings(SERVER_XKEY_SEED_FILE=path))

    (problem,) = caught.value.problems
    assert problem.setting == "SERVER_XKEY_SEED_FILE"
    assert "canary" not in str(caught.value)
    assert path.read_text() == content


def test_a_file_in_a_folder_that_is_not_there_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"SERVER_XKEY_SEED_FILE .*create the folder"):
        load_server_keys(settings(SERVER_XKEY_SEED_FILE=tmp_path / "no-such-folder" / "seed"))


def test_a_folder_in_the_file_s_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SeedFileError, match="no regular file"):
        read_or_create_seed(tmp_path, new_xkey_seed)


def test_a_file_in_the_folder_s_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SeedFileError, match="folder that does not exist"):
        read_or_create_seed(tmp_path / "file" / "seed", new_xkey_seed)


def test_replicas_that_start_at_once_agree_on_one_seed(tmp_path: Path) -> None:
    path = tmp_path / "shared.seed"

    with ThreadPoolExecutor(8) as replicas:
        found = list(
            replicas.map(lambda _: read_or_create_seed(path, new_xkey_seed).text, range(32))
        )

    assert set(found) == {path.read_text().strip()}


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "seed"
    path.write_text("precious")

    with pytest.raises(FileExistsError):
        write_seed(path, new_xkey_seed())

    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]
