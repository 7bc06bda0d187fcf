"""What `make demo` and `make run` install: no less than they import, and no more."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

from tools.pins import read_pins

ROOT = Path(__file__).parents[3]

ONLY_FOR_STORES_BEHIND_HTTP = {"aiohappyeyeballs", "certifi", "httptools"}

IMPORTED = (
    *("bootstrap.local.demo", "bootstrap.local.run", "bootstrap.main", "bootstrap.cli"),
    *("adapters.nats_kv.store", "adapters.admin_http.app"),
)

IMPORTS_WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {left_out!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
import {modules}
"""


def names(lines: list[str]) -> set[str]:
    return {Requirement(line).name for line in lines}


def test_the_list_is_the_projects_own_without_what_only_stores_behind_http_need() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    given = (ROOT / "requirements-local.in").read_text().splitlines()

    written = names([line for line in given if line[0].isalpha()])

    wanted = names([*project["dependencies"], *optional["local"], *optional["build"]])
    assert written == wanted - ONLY_FOR_STORES_BEHIND_HTTP


def test_the_pins_are_those_that_the_service_is_shipped_with() -> None:
    local = read_pins((ROOT / "requirements-local.txt").read_text())
    shipped = read_pins((ROOT / "requirements.txt").read_text())

    assert {name: pin for name, pin in local.items() if name in shipped}.items() <= shipped.items()
    assert not ONLY_FOR_STORES_BEHIND_HTTP & local.keys()


def test_nothing_that_is_left_out_is_imported() -> None:
    left_out = sorted(
        read_pins((ROOT / "requirements.txt").read_text()).keys()
        - read_pins((ROOT / "requirements-local.txt").read_text()).keys()
    )
    assert left_out

    program = IMPORTS_WITHOUT.format(left_out=left_out, modules=", ".join(IMPORTED))

    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
