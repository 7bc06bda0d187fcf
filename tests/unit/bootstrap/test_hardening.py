"""Hardening changes a process for good, so each test hardens one of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux has prctl")

SCRIPT = """
import ctypes, json, os, resource
from bootstrap.hardening import harden_process
{before}
done = harden_process({lock}).fields()
dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({{
    **done,
    "limit": resource.getrlimit(resource.RLIMIT_CORE),
    "dumpable": dumpable,
    "locked_kb": int(status["VmLck"].split()[0]),
    "resident_kb": int(status["VmRSS"].split()[0]),
}}))
"""

WITHOUT = """
import types
import bootstrap.hardening

class Library:
    def __init__(self, *arguments, **options):
        self.real = ctypes.CDLL(*arguments, **options)

    def __getattr__(self, name):
        if name == "{missing}":
            raise AttributeError(name)
        return getattr(self.real, name)

class Limits:
    def __getattr__(self, name):
        return getattr(resource, name)

    def getrlimit(self, kind):
        return (-1, -1) if kind == resource.RLIMIT_MEMLOCK else resource.getrlimit(kind)

bootstrap.hardening.ctypes = types.SimpleNamespace(**{{**vars(ctypes), "CDLL": Library}})
bootstrap.hardening.resource = Limits()
"""
"""What stands in for a system whose C library lacks a call."""


def harden(*, lock: bool = False, before: str = "") -> dict[str, Any]:
    """Harden a fresh process, and return what it says of itself and what the system says."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(lock=lock, before=before)],
        check=True,
        capture_output=True,
        cwd=ROOT,
        timeout=30,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@linux_only
def test_core_dumps_are_off_whatever_the_limit_was() -> None:
    hard = "resource.getrlimit(resource.RLIMIT_CORE)[1]"

    state = harden(before=f"resource.setrlimit(resource.RLIMIT_CORE, ({hard}, {hard}))")

    assert state["core_dumps_off"]
    assert state["limit"] == [0, 0]


@linux_only
def test_the_process_cannot_be_dumped_or_traced_by_its_own_user() -> None:
    state = harden()

    assert state["undumpable"]
    assert state["dumpable"] == 0


@linux_only
def test_memory_is_left_alone_unless_asked_for() -> None:
    state = harden()

    assert state["memory_lock"] == "off"
    assert state["locked_kb"] == 0


@linux_only
def test_what_it_says_about_locked_memory_is_what_the_system_says() -> None:
    state = harden(lock=True)

    assert state["memory_lock"] in {"locked", "limited", "refused"}
    assert (state["locked_kb"] > 0) == (state["memory_lock"] == "locked")


@linux_only
def test_too_low_a_limit_locks_nothing_rather_than_failing_later() -> None:
    limit = "resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, 65536))"

    state = harden(lock=True, before=limit)

    assert state["memory_lock"] == "limited"
    assert state["locked_kb"] == 0


@linux_only
@pytest.mark.parametrize(
    ("missing", "field", "value"),
    [("prctl", "undumpable", False), ("mlockall", "memory_lock", "unsupported")],
)
def test_a_c_library_without_the_call_is_reported_and_harms_nothing(
    missing: str, field: str, value: object
) -> None:
    state = harden(lock=True, before=WITHOUT.format(missing=missing))

    assert state[field] == value
    assert state["core_dumps_off"]
