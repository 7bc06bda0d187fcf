"""`manifest`: what will go wrong with the secrets of wadm manifests."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bootstrap.cli.reporting import (
    FAILED,
    MISUSED,
    AsJson,
    CommandError,
    command_group,
    failure,
    guarded,
    requester_named,
)
from bootstrap.cli.terminal import Advance, progress, say, write_json

if TYPE_CHECKING:
    from adapters.wadm_manifest.check import CheckedFile

app = command_group("manifest", "Check the secrets of wadm manifests.")


OTHER: Final = "other"
"""In place of a store: keys, versions and properties are not checked."""


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Manifests, YAML or JSON.")],
    *,
    backend: Annotated[
        list[str] | None,
        typer.Option(
            envvar="BACKEND_NAME", help="Name of a backend that is served; repeatable. Unset: any."
        ),
    ] = None,
    store: Annotated[
        str,
        typer.Option(
            envvar="SECRET_STORE", help="The store behind it, as installed; other: keys unchecked."
        ),
    ] = "infisical",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A variable of the store, as the service has it; repeatable. Unset: the "
            "environment, then .env.",
        ),
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="An access policy file: would its rules allow each?")
    ] = None,
    token: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[COMPONENT=]FILE",
            help="With --policy: the token of a component's signed artifact; repeatable.",
        ),
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="With --policy: the NATS account that asks.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="With --account: the NATS user.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what wadm refuses or drops, and what hosts will not get, with line and advice.

    Exit code 0: no errors, 1: at least one, 2: a file or an option cannot be used.
    """
    from adapters.wadm_manifest.tree import Level

    def checked() -> "list[CheckedFile]":
        from adapters.wadm_manifest.check import check_files
        from bootstrap.cli.manifest_checks import shape_of

        with progress("manifests read", len(files), as_json=as_json) as advance:
            read = [_read(file, advance) for file in files]
        judge = None
        if policy is not None:
            from adapters.system.clock import SystemClock
            from bootstrap.cli.manifest_checks import rules_of, tokens_given
            from bootstrap.cli.policy import load

            now = SystemClock().now()
            requester = requester_named(account, user)
            rules = load(policy, MISUSED)
            judge = rules_of(rules, tokens_given(token or (), now), now, requester)
        elif token or account or user:
            raise CommandError("--token, --account and --user are judged by --policy; give it.")
        shape = shape_of(store, settings or ()) if store != OTHER else None
        if judge is not None and shape is None:
            raise CommandError("The rules look at places: give --store whose keys are known.")
        check_files(read, frozenset(backend or ()), shape, judge)
        return read

    read = guarded(checked)
    _show(read, as_json=as_json)
    if any(finding.level is Level.ERROR for file in read for finding in file.findings):
        raise typer.Exit(FAILED)


def _read(file: Path, advance: Advance) -> "CheckedFile":
    from adapters.wadm_manifest.check import read_file
    from adapters.wadm_manifest.tree import ManifestUnreadableError

    advance(1)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise failure(f"{file} cannot be read ({error.strerror}).", MISUSED) from None
    try:
        return read_file(str(file), data)
    except ManifestUnreadableError as error:
        raise failure(f"{file}: {error}.", MISUSED) from None


def _show(files: "list[CheckedFile]", *, as_json: bool) -> None:
    from adapters.wadm_manifest.tree import Level

    found = [(file, finding) for file in files for finding in file.sorted_findings]
    errors = sum(finding.level is Level.ERROR for _, finding in found)
    manifests = sum(len(file.manifests) for file in files)
    secrets = sum(len(manifest.uses) for file in files for manifest in file.manifests)
    if as_json:
        document = {
            "findings": [{"file": file.name, **asdict(finding)} for file, finding in found],
            "errors": errors,
            "warnings": len(found) - errors,
            "manifests": manifests,
            "secrets": secrets,
        }
        write_json(document)
        return
    for file, finding in found:
        place = f"{finding.place.rstrip(':')}: " if finding.place else ""
        say(
            f"{file.name}:{finding.line}: {finding.level}: {place}{finding.advice} [{finding.code}]"
        )
    say(
        f"{_count(errors, 'error')}, {_count(len(found) - errors, 'warning')} in "
        f"{_count(manifests, 'manifest')} with {_count(secrets, 'secret')}."
    )


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
