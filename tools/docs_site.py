"""`python -m tools.docs_site FOLDER`: the documents as a site, one folder a version.

The pages are those of docs/ and at the top, put together in build/docs: links to files of the
repository become links to copies of them, so that the site needs no forge. zensical builds it
strictly, and every link and asset of what it built is looked up: nothing may be missing, and
nothing may be fetched from elsewhere. Run by `make docs`, whose environment has
requirements-docs.txt.

Exit codes: 0 the site is built; 1 something is missing, as listed; 2 no folder was given.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from posixpath import normpath, relpath
from typing import TYPE_CHECKING, Final

from bootstrap.version import __version__
from tools.site_links import problems
from tools.site_versions import publish

if TYPE_CHECKING:
    from collections.abc import Sequence

OK, BROKEN, ASKED_WRONGLY = 0, 1, 2
ROOT: Final = Path(__file__).parents[1]
STAGE: Final = ROOT / "build" / "docs"
BUILT: Final = ROOT / "build" / "site"

AT_THE_TOP: Final = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "findings/README.md": "findings.md",
    "docs/adr": "adr/index.md",
}
"""Where pages outside docs/ stand in the site, and what stands for a folder."""

_LINK: Final = re.compile(r"(?<=\]\()(?P<path>[^)#\s:]+)(?P<anchor>#[^)\s]*)?(?=\))")
_FENCE: Final = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def site_path(path: str) -> str:
    """Return where a file of the repository stands in the site."""
    if path in AT_THE_TOP:
        return AT_THE_TOP[path]
    # A folder whose name begins with a dot is not built.
    return path.removeprefix("docs/") if path.startswith("docs/") else f"files/{path.lstrip('.')}"


def staged(text: str, page: str) -> tuple[str, set[str]]:
    """Return a page with its links as the site has them, and the files that these lead to.

    Args:
        text: as it stands in the repository.
        page: its path there.
    """
    found: set[str] = set()
    here = relpath(site_path(page) + "/..")

    def moved(link: re.Match[str]) -> str:
        target = normpath(f"{page}/../{link['path']}")
        if not (ROOT / target).exists():
            return link[0]
        found.add(target)
        return relpath(site_path(target), here) + (link["anchor"] or "")

    parts, last = [], 0
    for fence in _FENCE.finditer(text):
        parts += [_LINK.sub(moved, text[last : fence.start()]), fence[0]]
        last = fence.end()
    return "".join([*parts, _LINK.sub(moved, text[last:])]), found


def decisions() -> str:
    """Return the page that lists the decisions."""
    lines = ["# Decisions", "", "Why things are as they are, one decision a page.", ""]
    for path in sorted((ROOT / "docs" / "adr").glob("*.md")):
        title = path.read_text("utf-8").splitlines()[0].removeprefix("# ")
        lines.append(f"- [{title}]({path.name})")
    return "\n".join(lines) + "\n"


def stage() -> None:
    """Put the pages together, with every file that they link to or show."""
    shutil.rmtree(STAGE, ignore_errors=True)
    pages = [path for path in AT_THE_TOP if path.endswith(".md")]
    pages += [path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")]
    files: set[str] = set()
    for page in pages:
        text, linked = staged((ROOT / page).read_text("utf-8"), page)
        files |= linked - set(pages) - set(AT_THE_TOP)
        _write(site_path(page), text)
    _write("adr/index.md", decisions())
    for file in sorted(files):
        target = STAGE / site_path(file)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, target)


def _write(path: str, text: str) -> None:
    (STAGE / path).parent.mkdir(parents=True, exist_ok=True)
    (STAGE / path).write_text(text, "utf-8")


def main(arguments: Sequence[str]) -> int:
    """Build the site into the folder, beside the versions that are there."""
    if len(arguments) != 1:
        sys.stderr.write("Name the folder that the site is built into.\n")
        return ASKED_WRONGLY
    stage()
    shutil.rmtree(BUILT, ignore_errors=True)
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    built = subprocess.run(command, cwd=ROOT, check=False)  # noqa: S603  of constants
    found = [] if built.returncode else problems(BUILT)
    for problem in found:
        sys.stderr.write(f"{problem}\n")
    if built.returncode or found:
        return BROKEN
    place = publish(BUILT, Path(arguments[0]), __version__)
    sys.stdout.write(f"The site of {__version__} is {place}; open index.html beside it.\n")
    return OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
