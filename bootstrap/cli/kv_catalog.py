"""`kv list`, `kv history` and `kv delete`: what needs no encryption xkey."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bootstrap.cli.kv_common import Key, catalog_run
from bootstrap.cli.reporting import MISUSED, AsJson, failure
from bootstrap.cli.terminal import printable, say, show_table, warn, write_json

if TYPE_CHECKING:
    from adapters.nats_kv.operating import Revision


def list_keys(
    prefix: Annotated[str, typer.Argument(metavar="PREFIX", help="Such as payments/.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """List the keys that have a value, one a line. Needs no encryption xkey."""
    from adapters.nats_kv.keys import is_served

    names = catalog_run(lambda catalog: catalog.keys(prefix))
    if as_json:
        write_json(names)
        return
    for name in names:
        say(name)
    if unserved := [name for name in names if not is_served(name)]:
        warn(
            f"No request can reach {len(unserved)} of these keys, such as "
            f"{printable(unserved[0])}. Store them under names without a leading, trailing or "
            'doubled "/".'
        )


def history(key: Key, *, as_json: AsJson = False) -> None:
    """List a secret's versions and deletions, oldest first. Needs no encryption xkey."""
    revisions = catalog_run(lambda catalog: catalog.history(key))
    if as_json:
        write_json([_as_object(revision) for revision in revisions])
        return
    rows = [
        (
            revision.version,
            "" if revision.created is None else revision.created.isoformat(" ", "seconds"),
            revision.operation.value,
            str(revision.size),
        )
        for revision in revisions
    ]
    show_table(("version", "written", "operation", "bytes"), rows, right=(0, 3))


def delete(
    key: Key,
    *,
    keep_history: Annotated[
        bool, typer.Option("--keep-history", help="Old versions can still be asked for.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a secret with all its versions. Needs no encryption xkey."""
    what = key if keep_history else f"{key} with all its versions"
    if not (yes or _confirmed(f"Delete {printable(what)}?")):
        raise failure("Nothing was deleted.")
    catalog_run(lambda catalog: catalog.delete(key, keep_history=keep_history))
    say(f"Deleted {printable(what)}.")


def _confirmed(question: str) -> bool:
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        if sys.stdin.isatty():
            raise
    raise failure("Nothing was deleted: standard input gives no answer; give --yes.", MISUSED)


def _as_object(revision: "Revision") -> dict[str, object]:
    return {
        "version": revision.version,
        "written": None if revision.created is None else revision.created.isoformat(),
        "operation": revision.operation.value,
        "bytes": revision.size,
    }
