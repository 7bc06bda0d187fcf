"""What waits for its first use is loaded once, in whatever order its modules are imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

SAME = """\
import sys
from bootstrap.importing import NATS, import_lean

import_lean(NATS)
print("nats.js.api" in sys.modules)
{first}
import nats.js.api, nats.js.client, nats.js.errors, nats.js.kv, nats.js.manager

api = sys.modules["nats.js.api"]
print(
    all(part.api is api for part in (nats.js, nats.js.client, nats.js.errors, nats.js.manager)),
    nats.js.client.NotFoundError is nats.js.errors.NotFoundError,
    nats.js.client.KeyValue is nats.js.kv.KeyValue,
    nats.aio.client.nats.js is sys.modules["nats.js"],
)
"""


def printed(code: str) -> list[str]:
    """Run code in a process of its own."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


@pytest.mark.parametrize(
    "first",
    [
        "",
        "import nats.js",
        "import nats.js.errors",
        "from nats.js import JetStreamContext",
        "from nats.js.api import StreamConfig",
        "from nats.js.kv import KeyValue",
        "from nats.aio.client import Client; Client().jetstream()",
    ],
)
def test_jetstream_is_loaded_by_its_first_use_and_once(first: str) -> None:
    assert printed(SAME.format(first=first)) == ["False", "True True True True"]


def test_a_module_that_jetstream_does_not_have_is_not_found() -> None:
    assert printed(
        "from bootstrap.importing import NATS, import_lean\n"
        "import_lean(NATS)\n"
        "try:\n    import nats.js.nothing\n"
        "except ModuleNotFoundError as error:\n    print(error.name)\n"
    ) == ["nats.js.nothing"]
