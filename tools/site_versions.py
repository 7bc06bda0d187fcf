"""A folder with the site of each version: what is published as a whole.

The newest release is also at `latest`, and the first page leads there. The list in `versions.json`
is what the pages' own menu of versions reads.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Final

from packaging.version import Version

if TYPE_CHECKING:
    from pathlib import Path

LATEST: Final = "latest"
_FIRST_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>wasmcloud-secrets</title>
<meta http-equiv="refresh" content="0; url=latest/">
</head>
<body><p><a href="latest/">The documents of the latest version</a></p></body>
</html>
"""


def publish(built: Path, folder: Path, version: str) -> Path:
    """Put a built site into the folder as that version, and return where it is.

    A site of the same version is replaced; the others stay.
    """
    place = folder / version
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(built, place)
    versions = sorted(
        (path.name for path in folder.iterdir() if path.is_dir() and path.name != LATEST),
        key=Version,
        reverse=True,
    )
    shutil.rmtree(folder / LATEST, ignore_errors=True)
    shutil.copytree(folder / versions[0], folder / LATEST)
    listed = [
        {"version": each, "title": each, "aliases": [LATEST] if each == versions[0] else []}
        for each in versions
    ]
    (folder / "versions.json").write_text(json.dumps(listed, indent=2) + "\n", "utf-8")
    (folder / "index.html").write_text(_FIRST_PAGE, "utf-8")
    return place
