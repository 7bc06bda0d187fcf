"""What holds keys, credentials, rules or events is opened by `adapters.system.files` alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import adapters

ROOT = Path(adapters.__file__).resolve().parents[1]
BY_PATH = re.compile(
    r"\.(?:read_text|read_bytes|write_text|write_bytes|chmod|touch|hardlink_to|unlink)\("
    r"|(?<!folder)\.open\([\"']"
    r"|\bos\.(?:open|chmod|chown|replace|rename|link|unlink)\("
    r"|(?<![\w.])(?<!def )open\("
)
MODULES = ("adapters/system/files.py", "adapters/system/file_lookup.py")
OTHERS = {
    ("bootstrap/cli/kv.py", ".read_bytes("),  # a value to be stored, which may come by a pipe
    ("bootstrap/cli/manifest.py", ".read_bytes("),  # a manifest, which is nothing of the service's
    ("bootstrap/cli/v2.py", ".read_bytes("),  # a start request, nothing of the service's
    ("bootstrap/main.py", '.open("'),  # /dev/null
    ("bootstrap/workers/template.py", "os.open("),  # /dev/null
    ("adapters/projection/content.py", ".read_text("),  # the kernel's table of mounts
    # Below the descriptor of a folder, and without following a link.
    ("adapters/projection/directory.py", "os.open("),
    ("adapters/projection/directory.py", "os.rename("),
    ("adapters/projection/directory.py", "os.unlink("),
    # Files of the package itself.
    ("adapters/console/app.py", ".read_bytes("),
    ("adapters/console/reasons.py", ".read_text("),
    ("bootstrap/local/run_plan.py", ".read_text("),  # a process's number, to be shown
    # In a temporary folder of its own.
    ("bootstrap/local/nats_server.py", ".touch("),
    ("bootstrap/local/nats_server.py", ".write_text("),
    ("bootstrap/local/nats_server.py", ".read_text("),
    ("bootstrap/local/nats_server.py", ".read_bytes("),
    ("bootstrap/local/nats_server.py", '.open("'),
}


def found_in(text: str) -> set[str]:
    return {match.group() for match in BY_PATH.finditer(text)}


def test_no_other_code_opens_or_changes_files_by_path() -> None:
    found = {
        (str(path.relative_to(ROOT)), call)
        for layer in ("domain", "ports", "adapters", "bootstrap")
        for path in (ROOT / layer).rglob("*.py")
        for call in found_in(path.read_text("utf-8"))
        if str(path.relative_to(ROOT)) not in MODULES
    }

    assert found == OTHERS


@pytest.mark.parametrize(
    "line",
    [
        'with path.open("rb") as file:',
        "text = Path(name).read_text()",
        "os.open(path, os.O_RDONLY)",
        "with open(path) as file:",
        "path.chmod(0o644)",
        "os.chown(path, 1, 1)",
    ],
)
def test_a_file_that_is_opened_by_path_is_found(line: str) -> None:
    assert found_in(line)


@pytest.mark.parametrize(
    "line", ["await connection.open()", "self._open(opened)", "folder.open(name, flags)"]
)
def test_what_opens_no_path_is_not_taken_for_it(line: str) -> None:
    assert not found_in(line)
