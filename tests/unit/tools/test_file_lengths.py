"""No source file grows beyond one idea."""

from __future__ import annotations

from tools.file_lengths import MAX_LINES, ROOT, lengths, problems


def test_a_file_beyond_the_bound_is_named_with_its_lines() -> None:
    (problem,) = problems({"ports/a.py": MAX_LINES + 1, "ports/b.py": MAX_LINES})

    assert problem.startswith(f"ports/a.py has {MAX_LINES + 1} lines")


def test_tests_may_be_no_longer() -> None:
    assert len(list(problems({"tests/unit/test_a.py": MAX_LINES + 1}))) == 1


def test_every_file_of_this_project_is_short_enough() -> None:
    found = lengths(ROOT)

    assert {"tools/file_lengths.py", "tests/unit/tools/test_file_lengths.py"} <= found.keys()
    assert list(problems(found)) == []
