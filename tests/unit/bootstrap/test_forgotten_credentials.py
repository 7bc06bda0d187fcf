"""What a template of worker processes forgets of its environment, and what it loads for that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import os, sys
from bootstrap.environment import forget_credentials
before = set(sys.modules)
forget_credentials()
loaded = sorted(name for name in set(sys.modules) - before if name.startswith("adapters."))
print(sorted(name for name in os.environ if name.startswith(("VAULT", "OTHER"))), loaded)
"""


def test_credentials_of_any_name_are_forgotten_and_no_plugin_is_loaded_for_it() -> None:
    given = {
        "PYTHONPATH": str(ROOT),
        "VAULT_ADDR": "https://v",
        "VAULT_TOKEN": "canary",
        "OTHER_PASSWORD": "canary",
    }

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=given, capture_output=True, text=True, check=True
    )

    assert done.stdout == "['VAULT_ADDR'] []\n"
