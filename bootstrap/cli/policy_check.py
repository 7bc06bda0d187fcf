"""`policy check`: every mistake in a policy file, or what it grants."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bootstrap.cli.reporting import FAILED, AsJson
from bootstrap.cli.terminal import say, show_table, warn, write_json

if TYPE_CHECKING:
    from adapters.access_policy.summary import RuleSummary


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An access policy file.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Report every mistake in a policy file, or what it grants.

    Exit code 1 if it has mistakes, 2 if it cannot be read.
    """
    from adapters.access_policy.summary import denials_in_words, grants_in_words
    from bootstrap.cli.policy_output import load

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


def _show(rule: str, verb: str, summaries: "list[RuleSummary]") -> None:
    if not summaries:
        return
    rows = [(summary.name, summary.who, summary.what, summary.only_if) for summary in summaries]
    columns = (rule, "who", verb, "only if")
    say("")
    shown = 4 if any(summary.only_if for summary in summaries) else 3
    show_table(columns[:shown], [row[:shown] for row in rows])
