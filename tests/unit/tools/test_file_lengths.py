"""No source file grows beyond one idea."""

from __future__ import annotations

from tools.file_lengths import LONG_TESTS, MAX_LINES, ROOT, allowed, lengths, problems

LONG = MAX_LINES + 40


def test_a_file_beyond_the_bound_is_named_with_its_lines() -> None:
    (problem,) = problems({"ports/a.py": MAX_LINES + 1, "ports/b.py": MAX_LINES}, {})

    assert problem.startswith(f"ports/a.py has {MAX_LINES + 1} lines")


def test_a_long_test_may_shrink_and_not_grow() -> None:
    longer = allowed(f"# long\ntests/unit/a.py {LONG}\n")

    assert list(problems({"tests/unit/a.py": LONG - 1}, longer)) == []
    assert len(list(problems({"tests/unit/a.py": LONG + 1}, longer))) == 1


def test_an_exception_that_is_not_needed_or_no_test_is_an_error() -> None:
    for found in ({}, {"tests/unit/a.py": MAX_LINES}):
        (problem,) = problems(found, {"tests/unit/a.py": LONG})
        assert "take it out" in problem
    (problem,) = problems({"ports/a.py": LONG}, {"ports/a.py": LONG})
    assert "is no test" in problem


def test_every_file_of_this_project_is_short_enough() -> None:
    found = lengths(ROOT)

    assert "tools/file_lengths.py" in found
    assert list(problems(found, allowed(LONG_TESTS.read_text("utf-8")))) == []
