"""`python -m tools.dist`: wheel, sdist and bill of materials in dist/, the same bytes every time.

Everything is built twice, in two folders, and compared. The times in it are those of the last
commit, or `SOURCE_DATE_EPOCH`. Run by `make dist`, whose environment has requirements-release.txt.

Exit codes: 0 done, 1 two builds differ or one fails.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Final

from bootstrap.version import __version__

ROOT: Final = Path(__file__).resolve().parents[1]
DIST: Final = ROOT / "dist"
SBOM: Final = "sbom.cdx.json"


class BuildError(Exception):
    """Something cannot be built; the text says what to look at."""


def commit_time() -> str:
    """Return the seconds since the epoch that everything is dated with."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return given
    shown = ["git", "log", "-1", "--format=%ct"]
    done = subprocess.run(  # noqa: S603  git is what the developer has
        shown, cwd=ROOT, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise BuildError("This is no git checkout: set SOURCE_DATE_EPOCH to a time in seconds.")
    return done.stdout.strip()


def build(folder: Path, epoch: str) -> None:
    """Build wheel and sdist into a folder.

    Raises:
        BuildError: the build failed; its output stands on the terminal.
    """
    _run(["build", "--sdist", "--wheel", "--no-isolation", "--outdir", str(folder)], epoch)


def install(environment: Path, wheel: Path) -> None:
    """Make an environment of what the image and the folder hold: the pins and the wheel.

    Raises:
        BuildError: pip failed; its output stands on the terminal.
    """
    venv.create(environment)
    into = ["pip", "--python", str(environment), "install", "--quiet", "--no-compile"]
    _run([*into, "--disable-pip-version-check", "--require-hashes", "-r", "requirements.txt"])
    _run([*into, "--disable-pip-version-check", "--no-deps", "--no-index", str(wheel)])


def describe(environment: Path, file: Path) -> None:
    """Write the bill of materials of an environment, as CycloneDX JSON.

    Raises:
        BuildError: it cannot be written.
    """
    shape = ["--validate", "--output-reproducible", "--of", "JSON", "-o", str(file)]
    of = ["--pyproject", "pyproject.toml", "--mc-type", "application", str(environment)]
    _run(["cyclonedx_py", "environment", *shape, *of])
    bill = json.loads(file.read_bytes())
    # pyproject.toml leaves the version to bootstrap/version.py.
    bill["metadata"]["component"]["version"] = __version__
    file.write_text(json.dumps(bill, indent=2) + "\n", "utf-8")


def sums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file by its name."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
    }


def build_twice(work: Path, epoch: str) -> Path:
    """Build everything in two folders, and return the first.

    Raises:
        BuildError: something failed, or the two differ.
    """
    first, second = work / "first", work / "second"
    for folder in (first, second):
        build(folder, epoch)
    (wheel,) = first.glob("*.whl")
    install(work / "environment", wheel)
    for folder in (first, second):
        describe(work / "environment", folder / SBOM)
    if different := [name for name, digest in sums(first).items() if sums(second)[name] != digest]:
        raise BuildError(f"Two builds differ in {', '.join(different)}; dist/ is as it was.")
    return first


def main() -> int:
    """Build twice, fill dist/, and return the exit code."""
    try:
        with tempfile.TemporaryDirectory() as work:
            built = build_twice(Path(work), commit_time())
            shutil.rmtree(DIST, ignore_errors=True)
            shutil.copytree(built, DIST)
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    lines = "".join(f"{digest}  {name}\n" for name, digest in sums(DIST).items())
    (DIST / "SHA256SUMS").write_text(lines, "utf-8")
    sys.stdout.write(f"Version {__version__}, built twice with the same bytes:\n{lines}")
    return 0


def _run(command: list[str], epoch: str = "") -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "0"} | (
        {"SOURCE_DATE_EPOCH": epoch} if epoch else {}
    )
    done = subprocess.run(  # noqa: S603  this very Python
        [sys.executable, "-m", *command], cwd=ROOT, env=environment, check=False, stdout=sys.stderr
    )
    if done.returncode:
        raise BuildError(f"{command[0]} failed; see above. `make dist` installs what it needs.")


if __name__ == "__main__":
    sys.exit(main())
