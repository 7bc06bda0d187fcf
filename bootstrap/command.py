"""`wasmcloud-secrets`, as it is installed: the service itself, or one of the other commands."""

from __future__ import annotations

import gc
import sys

_LASTING = ("serve", "relay", "project")
"""Commands that read files again at SIGHUP."""

_ENDS_SOON = frozenset({"--check", "--wipe", "--help"})


_INTERRUPTED = 130


def run() -> None:
    """Do what the arguments say, and leave with the exit code."""
    try:
        _run()
    except KeyboardInterrupt:
        # Ctrl-C before a command itself took it, while what it runs on was loaded.
        sys.exit(_INTERRUPTED)


def _run() -> None:
    if sys.argv[1:2] and sys.argv[1] in _LASTING and _ENDS_SOON.isdisjoint(sys.argv):
        from bootstrap.early_signals import take_early_signals  # noqa: PLC0415  before all others

        take_early_signals()
    from bootstrap.own_packages import foreign_packages  # noqa: PLC0415  before all it would find

    if advice := foreign_packages():
        sys.stderr.write(advice)
        sys.exit(2)
    if sys.argv[1:] == ["--version"]:
        from bootstrap.version import __version__  # noqa: PLC0415  the one thing it needs

        sys.stdout.write(f"{__version__}\n")
        return
    if sys.argv[1:] == ["serve"]:
        _serve()
    from bootstrap.cli import app  # noqa: PLC0415  the service needs nothing of it

    app()


def _serve() -> None:
    from bootstrap.hardening import harden_process  # noqa: PLC0415  before all that takes time

    harden_process(lock_memory=False)
    # All that is loaded now stays: looking for garbage among it takes a tenth of the start. What
    # serves turns the collector on again once it has frozen that.
    gc.disable()
    from bootstrap import main  # noqa: PLC0415  the other commands start faster without it

    sys.exit(main.serve())
