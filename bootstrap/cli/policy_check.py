"""`policy check`: every mistake in a policy file, or what it grants."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from adapters.access_policy.document import PolicyDocument
from adapters.access_policy.file import read_policy_file
from adapters.access_policy.problems import AccessPolicyError, UnreadablePolicyError
from adapters.access_policy.summary import RuleSummary, denials_in_words, grants_in_words
from bootstrap.cli.reporting import FAILED, MISUSED, AsJson, failure
from bootstrap.cli.terminal import printable, say, show_table, warn, write_json


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An access policy file.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Report every mistake in a policy file, or what it grants.

    Exit code 1 if it has mistakes, 2 if it cannot be read.
    """
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


def _show(rule: str, verb: str, summaries: list[RuleSummary]) -> None:
    if not summaries:
        return
    rows = [(summary.name, summary.who, summary.what, summary.only_if) for summary in summaries]
    columns = (rule, "who", verb, "only if")
    say("")
    shown = 4 if any(summary.only_if for summary in summaries) else 3
    show_table(columns[:shown], [row[:shown] for row in rows])


def load(path: Path, exit_code: int, *, as_json: bool = False) -> PolicyDocument:
    """Read a policy file, or say what is wrong in it and end with that exit code.

    Args:
        exit_code: of a file with mistakes; one that cannot be read ends with 2.
        as_json: write the mistakes to standard output as JSON, too.
    """
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
