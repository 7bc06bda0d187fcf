"""What `make lint` finds wrong with the requirements files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.pins import ASKED_WRONGLY, Metadata, Pin, main, own_requirements, problems, read_pins

_ROOT = Path(__file__).parents[3]

_FILE = """\
#
#    pip-compile --extra=tests --generate-hashes --output-file=requirements.txt pyproject.toml
#
Colour_Names[toml,yaml]==1.2.3 \\
    --hash=sha256:00
    # via
    #   painter
painter==4 --hash=sha256:00
"""


def pinned(**versions: str) -> dict[str, Pin]:
    return {name: Pin(version, frozenset()) for name, version in versions.items()}


def found(pins: dict[str, Pin], own: tuple[str, ...] = (), **requires: str) -> list[str]:
    """Look for problems where each distribution has one requirement."""

    def metadata(name: str) -> Metadata | None:
        return Metadata("1", (requires[name],)) if name in requires else None

    return list(problems(pins, own, metadata))


def test_pins_are_read_with_their_versions_and_extras() -> None:
    assert read_pins(_FILE) == {
        "colour-names": Pin("1.2.3", frozenset({"toml", "yaml"})),
        "painter": Pin("4", frozenset()),
    }


def test_a_file_whose_pins_have_every_extra_is_in_order() -> None:
    pins = {"a": Pin("1", frozenset()), "b": Pin("1", frozenset({"x", "y"}))}

    assert found(pins, a="b[x]>=1", b="a; extra == 'x'") == []


def test_an_extra_that_is_not_pinned_is_named() -> None:
    assert found(pinned(a="1", b="1"), a="B[y,x]>=1") == [
        "a asks for B[x,y], pinned without that extra"
    ]


def test_a_distribution_that_is_not_pinned_is_named() -> None:
    assert found(pinned(a="1"), a="b>=1") == ["a asks for b, which is not pinned"]


def test_what_only_an_extra_asks_for_counts_where_that_extra_is_pinned() -> None:
    requires = "b; extra == 'x'"

    assert found({"a": Pin("1", frozenset())}, a=requires) == []
    assert found({"a": Pin("1", frozenset({"x"}))}, a=requires) == [
        "a asks for b, which is not pinned"
    ]


@pytest.mark.parametrize(
    ("marker", "counts"),
    [
        ("python_version < '3.12'", True),
        ("python_version >= '3.14'", True),
        ("python_full_version < '3.11'", False),
        ("sys_platform == 'darwin'", True),
        ("platform_machine == 'aarch64'", True),
        ("sys_platform == 'win32'", False),
    ],
)
def test_requirements_for_every_supported_python_and_platform_count(
    marker: str, counts: bool
) -> None:
    assert bool(found(pinned(a="1"), a=f"b; {marker}")) is counts


def test_what_the_project_itself_asks_for_must_be_pinned() -> None:
    assert found(pinned(server="1"), own=("server[standard]",)) == [
        "pyproject.toml asks for server[standard], pinned without that extra"
    ]


def test_an_installed_version_that_is_not_the_pinned_one_is_named() -> None:
    assert found(pinned(a="2"), a="b") == ["a 2 is pinned, but 1 is installed"]


def test_the_command_in_the_head_tells_which_extras_of_the_project_count() -> None:
    pyproject = """
    [project]
    dependencies = ["a"]
    [project.optional-dependencies]
    tests = ["b"]
    docs = ["c"]
    """

    assert own_requirements(pyproject, _FILE) == ["a", "b"]
    assert own_requirements(pyproject, "# pip-compile pyproject.toml") == ["a"]
    assert own_requirements(pyproject, "# pip-compile requirements.in") == []


def test_the_files_of_this_project_are_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted(map(str, _ROOT.glob("requirements*.txt")))

    assert main(files) == 0, capsys.readouterr().out


def test_a_file_without_an_extra_makes_the_check_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (_ROOT / "requirements-dev.txt").read_text()
    file = tmp_path / "requirements-dev.txt"
    file.write_text(text.replace("coverage[toml]", "coverage"))

    assert main([str(file)]) == 1
    assert "pytest-cov asks for coverage[toml], pinned without that extra" in (
        capsys.readouterr().out
    )


def test_without_a_file_it_says_what_to_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == ASKED_WRONGLY
    assert capsys.readouterr().err == "Name the requirements files to check.\n"
