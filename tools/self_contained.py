"""`python -m tools.self_contained FOLDER`: the service as one folder that runs wherever it is put.

It holds all packages and a launcher, `bin/wasmcloud-secrets`; it needs nothing but the Python it
was built with (same minor version, same kind of machine). Needs the wheel of `make dist`.

Exit codes: 0 done, 1 something is missing or failed, 2 called wrongly.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bootstrap.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).resolve().parents[1]

_LAUNCHER: Final = """\
#!/usr/bin/env python{major}.{minor}
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
sys.dont_write_bytecode = True

from bootstrap.command import run

run()
"""


def fill(folder: Path, wheel: Path) -> bool:
    """Install everything into the folder, and return whether it worked.

    The same pins, wheel and Python give the same bytes, wherever the folder is.
    """
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    library = folder / "lib"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    into = ["--no-compile", "--target", str(library)]
    pinned = ["--require-hashes", "-r", str(ROOT / "requirements.txt")]
    # By name: pip writes down where a wheel given by its path came from.
    own = ["--find-links", str(wheel.parent), f"wasmcloud-secrets=={__version__}"]
    # Unchecked: a copy has other times, and a read-only folder could not be compiled again.
    compiled = ["compileall", "-q", "-s", str(library), "--invalidation-mode", "unchecked-hash"]
    for command in (
        [*pip, *into, *pinned],
        # Its own command, since its hash is nowhere written down.
        [*pip, *into, "--no-deps", "--no-index", *own],
        [sys.executable, "-m", *compiled, str(library)],
    ):
        if subprocess.run(command, check=False, env=environment).returncode:  # noqa: S603  this very Python
            return False
        # Commands of the packages, which name the Python of this machine.
        shutil.rmtree(library / "bin", ignore_errors=True)
    launcher = folder / "bin" / "wasmcloud-secrets"
    launcher.parent.mkdir()
    version = sys.version_info
    launcher.write_text(_LAUNCHER.format(major=version.major, minor=version.minor), "utf-8")
    launcher.chmod(0o755)
    return True


def main(arguments: Sequence[str]) -> int:
    """Build the folder, and return the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("Name the folder to build, such as dist/wasmcloud-secrets.\n")
        return 2
    folder = Path(arguments[0])
    wheel = ROOT / "dist" / f"wasmcloud_secrets-{__version__}-py3-none-any.whl"
    if folder.exists():
        sys.stderr.write(f"{folder} is there already; remove it, or name another folder.\n")
        return 1
    if not wheel.exists():
        sys.stderr.write("There is no wheel of this version in dist/; run `make dist` first.\n")
        return 1
    return 0 if fill(folder, wheel) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
