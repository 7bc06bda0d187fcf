"""Options of the manifest command that cannot be used, and files that cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.bootstrap.cli.manifest_rig import run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "options",
    [
        ["--token", "x"],
        ["--account", "A"],
        ["--policy", "missing.yaml"],
        ["--set", "INFISICAL_SECRET_PATH=no/root"],
        ["--set", "INFISICAL_SECRET_PATH"],
        ["--set", "NATS_KV_BUCKET=B"],
        ["--store", "nowhere"],
        ["--store", "vault", "--set", "VAULT_MOUNT=a//b"],
    ],
)
def test_options_that_cannot_be_used_end_with_2(good: str, options: list[str]) -> None:
    assert run(good, *options).exit_code == 2


def test_a_token_that_the_service_refuses_is_said_without_repeating_it(
    good: str, rules: list[str], tmp_path: Path
) -> None:
    (tmp_path / "checkout.jwt").write_text("canary.token.text")

    result = run(good, *rules)

    assert result.exit_code == 2
    assert "canary" not in result.output


@pytest.mark.parametrize("data", [b"a: [", b"\xff\xfe", None])
def test_a_file_that_cannot_be_read_ends_with_2(tmp_path: Path, data: bytes | None) -> None:
    file = tmp_path / "a.yaml"
    if data is not None:
        file.write_bytes(data)

    assert run(str(file)).exit_code == 2
