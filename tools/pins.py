"""`python -m tools.pins FILE…`: whether pip can install from these requirements files alone.

Where a distribution asks for `coverage[toml]` and `coverage` is pinned without the extra, old pips
look for the newest version that has it, and stop once that is not the pinned one. So each
requirement of a pinned distribution must be pinned with its extras, for every supported Python and
platform. The requirements are read from the metadata of what is installed; nothing is fetched.

Exit codes: 0 all is pinned, 1 something is not, 2 no file was given.
"""

from __future__ import annotations

import re
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from itertools import chain, product
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

OK, MISSING, ASKED_WRONGLY = 0, 1, 2

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS = (
    ("linux", "Linux", "x86_64"),
    ("linux", "Linux", "aarch64"),
    ("darwin", "Darwin", "arm64"),
)
_PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
_EXTRA_IN_HEAD = re.compile(r"--extra=(\S+)")


@dataclass(frozen=True, slots=True)
class Pin:
    """One pinned distribution: its version, and the extras that are pinned with it."""

    version: str
    extras: frozenset[str]


@dataclass(frozen=True, slots=True)
class Metadata:
    """A distribution's version and its requirements, as `Requires-Dist` writes them."""

    version: str
    requires: tuple[str, ...]


def read_pins(text: str) -> dict[str, Pin]:
    """Return the pins of a requirements file by normalised name."""
    pins: dict[str, Pin] = {}
    for line in text.splitlines():
        if not line or line[0] in "# \t":
            continue
        requirement = Requirement(line.removesuffix("\\").split("--hash")[0].strip())
        version = next(iter(requirement.specifier)).version
        pins[canonicalize_name(requirement.name)] = Pin(version, frozenset(requirement.extras))
    return pins


def problems(
    pins: Mapping[str, Pin],
    own: Sequence[str],
    metadata: Callable[[str], Metadata | None],
) -> Iterator[str]:
    """Yield what is wrong with a file's pins, one line each.

    Args:
        pins: the pins of the file.
        own: the requirements of the project itself that the file is to pin.
        metadata: returns what is known of a distribution, None if it is not installed.
    """
    yield from _unpinned("pyproject.toml", own, frozenset(), pins)
    for name, pin in pins.items():
        found = metadata(name)
        if found is None:
            continue
        if found.version != pin.version:
            yield f"{name} {pin.version} is pinned, but {found.version} is installed"
            continue
        yield from _unpinned(name, found.requires, pin.extras, pins)


def _unpinned(
    by: str, requires: Iterable[str], extras: frozenset[str], pins: Mapping[str, Pin]
) -> Iterator[str]:
    for text in requires:
        wanted = _wanted(text, extras)
        if wanted is None:
            continue
        pin = pins.get(canonicalize_name(wanted.name))
        if pin is None:
            yield f"{by} asks for {wanted.name}, which is not pinned"
        elif missing := sorted(wanted.extras - pin.extras):
            names = ",".join(missing)
            yield f"{by} asks for {wanted.name}[{names}], pinned without that extra"


@cache
def _wanted(text: str, extras: frozenset[str]) -> Requirement | None:
    """Return a requirement that applies on some platform; most stand in several files."""
    wanted = Requirement(text)
    return wanted if _applies(wanted, extras) else None


def _applies(wanted: Requirement, extras: frozenset[str]) -> bool:
    if wanted.marker is None:
        return True
    return any(
        wanted.marker.evaluate(
            {
                "extra": extra,
                "python_version": python,
                "python_full_version": f"{python}.0",
                "sys_platform": platform,
                "platform_system": system,
                "platform_machine": machine,
                "os_name": "posix",
                "implementation_name": "cpython",
                "platform_python_implementation": "CPython",
            }
        )
        for extra, python, (platform, system, machine) in product(
            ("", *sorted(extras)), PYTHONS, PLATFORMS
        )
    )


def own_requirements(pyproject: str, head: str) -> list[str]:
    """Return the requirements of the project that a file is to pin.

    Args:
        pyproject: the text of pyproject.toml.
        head: the text of the file; the command in its head names pyproject.toml, if that is where
            the file comes from, and the project's extras.
    """
    if "pyproject.toml" not in head:
        return []
    project = tomllib.loads(pyproject)["project"]
    optional = project.get("optional-dependencies", {})
    chosen = [optional[extra] for extra in _EXTRA_IN_HEAD.findall(head)]
    return [*project["dependencies"], *chain.from_iterable(chosen)]


def _installed(name: str) -> Metadata | None:
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return None
    return Metadata(found.version, tuple(found.requires or ()))


def main(arguments: Sequence[str]) -> int:
    """Check each file, print what is wrong, and return the exit code."""
    if not arguments:
        sys.stderr.write("Name the requirements files to check.\n")
        return ASKED_WRONGLY
    pyproject = _PYPROJECT.read_text()
    wrong = 0
    for file in arguments:
        text = Path(file).read_text()
        pins = read_pins(text)
        unknown = [name for name in pins if _installed(name) is None]
        for problem in problems(pins, own_requirements(pyproject, text), _installed):
            wrong += 1
            sys.stdout.write(f"{file}: {problem}\n")
        if unknown:
            sys.stdout.write(f"{file}: not installed, so not checked: {', '.join(unknown)}\n")
    if wrong:
        sys.stdout.write("Write the file again with the command in its head.\n")
        return MISSING
    sys.stdout.write(f"{len(arguments)} requirements files pin all that is asked for.\n")
    return OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
