"""`policy`: check, explain and draft access policy files, before they bite."""

import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.system.files import open_to_read
from bootstrap.cli.nats_session import open_nats
from bootstrap.cli.policy_explain import explain
from bootstrap.cli.reporting import (
    FAILED,
    MISUSED,
    AsJson,
    CommandError,
    command_group,
    failure,
    guarded,
    run,
    write_new_file,
)
from bootstrap.cli.terminal import (
    Advance,
    printable,
    progress,
    say,
    show_table,
    warn,
    write,
    write_json,
)

if TYPE_CHECKING:
    from adapters.access_policy.document import PolicyDocument
    from adapters.access_policy.summary import RuleSummary


app = command_group("policy", "Check, explain and draft the access policy file.")

_Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write a new file, not standard output."),
]


def load(path: Path, exit_code: int, *, as_json: bool = False) -> "PolicyDocument":
    """Read a policy file, or say what is wrong in it and end with that exit code.

    Args:
        exit_code: of a file with mistakes; one that cannot be read ends with 2.
        as_json: write the mistakes to standard output as JSON, too.
    """
    from adapters.access_policy.file import read_policy_file
    from adapters.access_policy.problems import AccessPolicyError, UnreadablePolicyError

    try:
        return read_policy_file(path)
    except AccessPolicyError as error:
        problems, unreadable = error.problems, isinstance(error, UnreadablePolicyError)
    if as_json:
        write_json({"mistakes": [asdict(problem) for problem in problems]})
    if unreadable:
        raise failure(f"{printable(str(path))}: {problems[0]}.", MISUSED)
    for problem in problems:
        warn(str(problem))
    count = "one mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
    raise failure(f"{path} has {count}.", exit_code)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An access policy file.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Report every mistake in a policy file, or what it grants.

    Exit code 1 if it has mistakes, 2 if it cannot be read.
    """
    from adapters.access_policy.summary import denials_in_words, grants_in_words

    document = load(file, FAILED, as_json=as_json)
    rules = document.rules
    revoked = len(rules.revoked_subjects) + len(rules.revoked_tokens)
    if as_json:
        write_json(
            {
                "mistakes": [],
                "warnings": [str(warning) for warning in document.warnings],
                "issuers": len(rules.issuers),
                "revoked": revoked,
                "grants": [asdict(summary) for summary in grants_in_words(document)],
                "denials": [asdict(summary) for summary in denials_in_words(document)],
            }
        )
        return
    for warning in document.warnings:
        warn(f"Warning: {warning}.")
    say(
        f"No mistakes. Issuers: {len(rules.issuers)}, grants: {len(rules.grants)}, "
        f"denials: {len(rules.denials)}, revoked: {revoked}."
    )
    _show("grant", "may read", grants_in_words(document))
    _show("denial", "may never read", denials_in_words(document))
    if not rules.grants:
        say("Nothing is granted, so every request is refused.")


app.command()(explain)


def _show(rule: str, verb: str, summaries: "list[RuleSummary]") -> None:
    if not summaries:
        return
    rows = [(summary.name, summary.who, summary.what, summary.only_if) for summary in summaries]
    columns = (rule, "who", verb, "only if")
    say("")
    shown = 4 if any(summary.only_if for summary in summaries) else 3
    show_table(columns[:shown], [row[:shown] for row in rows])


@app.command()
def draft(
    logs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[AUDIT_LOG]...", help="Log files (JSON lines); standard input if none."
        ),
    ] = None,
    *,
    output: _Output = None,
) -> None:
    """Turn the audit log of observed requests into a draft of a policy file.

    Run the service with AUTHORIZATION_MODE=observe until every application has started once, then
    give its log to this command, read the draft, and name the issuers in it.
    """
    from adapters.access_policy.draft_from_audit import AuditDraft

    drafted = AuditDraft()

    def read() -> None:
        with progress("lines read") as advance:
            for path in logs or (Path("-"),):
                drafted.take(_counted(_log_lines(path), advance))

    guarded(read)
    for reason, count in sorted(drafted.left_out.items()):
        warn(f"Left out: {count} {reason}.")
    if not drafted.used:
        raise failure("There is no answered request in this log; give the service's JSON lines.")
    _deliver(drafted.text(), output)


@app.command("import-nats-kv")
def import_nats_kv(
    *,
    bucket_name: Annotated[
        str,
        typer.Option(
            "--bucket-name",
            metavar="NAME",
            help="The old backend's name: its mappings are in the bucket SECRETS_{NAME}_state.",
        ),
    ] = "nats-kv",
    output: _Output = None,
) -> None:
    """Turn the entity-to-secrets mappings of a secrets-nats-kv backend into a draft."""
    from adapters.access_policy import draft_from_mappings

    async def read() -> dict[str, bytes]:
        async with open_nats() as client:
            return await draft_from_mappings.read_mappings(client, bucket_name)

    text, left_out = draft_from_mappings.draft_of_mappings(run(read))
    for line in left_out:
        warn(f"Left out: {line}")
    _deliver(text, output)


def _log_lines(path: Path) -> Iterator[bytes]:
    if str(path) == "-":
        yield from sys.stdin.buffer
        return
    try:
        with os.fdopen(open_to_read(path), "rb") as file:
            yield from file
    except OSError as error:
        advice = f"{path} cannot be read ({error.strerror}); name a log file."
        raise CommandError(advice) from None


def _counted(lines: Iterator[bytes], advance: Advance) -> Iterator[bytes]:
    for line in lines:
        advance(1)
        yield line


def _deliver(text: str, output: Path | None) -> None:
    if output is None:
        write(text)
        return
    guarded(lambda: write_new_file(output, text.encode("utf-8"), 0o644))
    say(f"Wrote {output}. Read it, name its issuers, then run: policy check {output}")
