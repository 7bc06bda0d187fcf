"""`make attack`: who loses what while a service is asked for too much.

Everything runs on loopback, against nothing but what this starts, and ends within minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from attacks.bodies import ATTACKS
from attacks.stage import CONFIGURATIONS, set_up

if TYPE_CHECKING:
    from attacks.stage import Outcome

_MIB = 1024 * 1024


async def run(seconds: float, wanted: str) -> list[Outcome]:
    """Run every attack whose title holds `wanted`, under each configuration."""
    outcomes = []
    for configuration in CONFIGURATIONS:
        for number, attack in enumerate(ATTACKS):
            if wanted in attack.title:
                sys.stderr.write(f"{configuration.file}: {attack.title} …\n")
                async with set_up(configuration) as stage:
                    outcomes.append(await stage.run(number, seconds))
    return outcomes


def print_table(outcomes: list[Outcome]) -> None:
    """Print what each attack did, the honest host's losses first."""
    table = Table(title="An honest host beside each attack", title_justify="left")
    table.add_column("attack")
    for column in ("reads", "refused", "lost", "p50", "p99", "attack a second", "replies"):
        table.add_column(column, justify="right")
    for column in ("hung up on", "starved", "memory, peak", "after"):
        table.add_column(column, justify="right")
    shown = ""
    for outcome in outcomes:
        configuration, honest, attacker = outcome.configuration, outcome.honest, outcome.attacker
        if configuration.file != shown:
            shown = configuration.file
            table.add_section()
            table.add_row(f"[bold]{shown}, {configuration.title}[/bold]")
        seconds = attacker.seconds or 1.0
        rate = f"{attacker.sent / seconds:,.0f}, {attacker.sent_bytes / seconds / _MIB:,.0f} MiB"
        table.add_row(
            outcome.title,
            f"{honest.asked}",
            f"{sum(honest.refused.values())}",
            f"{honest.lost}",
            f"{honest.quantile(0.5) * 1000:.0f} ms",
            f"{honest.quantile(0.99) * 1000:.0f} ms",
            rate,
            f"{attacker.replies:,} of {attacker.sent:,}",
            f"{outcome.disconnects}",
            f"{outcome.starved:.0%}",
            f"{outcome.peak_bytes / _MIB:.0f} MiB",
            f"{outcome.after_bytes / _MIB:.0f} MiB",
        )
    console = Console()
    if not console.is_terminal:
        console = Console(width=190)
    console.print(table)


def markdown(outcomes: list[Outcome]) -> str:
    """Return the table for SECURITY.md: one line for each attack, the configurations beside it."""
    by_title: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_title.setdefault(outcome.title, []).append(outcome)
    shown = [configuration.title for configuration in CONFIGURATIONS]
    lines = [
        f"| attack | a second | {' | '.join(shown)} | memory at most |",
        f"|---|---|{'---|' * len(shown)}---|",
    ]
    for title, runs in by_title.items():
        rate = max(run.attacker.sent / (run.attacker.seconds or 1.0) for run in runs)
        peak = max(run.peak_bytes for run in runs) / _MIB
        cells = " | ".join(_losses(run) for run in runs)
        lines.append(f"| {title} | {rate:,.0f} | {cells} | {peak:.0f} MiB |")
    return "\n".join(lines)


def _losses(outcome: Outcome) -> str:
    honest = outcome.honest
    hung_up = f", hung up on {outcome.disconnects} times" if outcome.disconnects else ""
    return (
        f"of {honest.asked} reads {honest.lost} lost, {sum(honest.refused.values())} refused; "
        f"p50 {honest.quantile(0.5) * 1000:.0f} ms, p99 {honest.quantile(0.99) * 1000:.0f} ms; "
        f"starved for {outcome.starved:.0%}{hung_up}"
    )


def main() -> None:
    """Run, and exit with 1 if the honest host of another account lost anything."""
    parser = argparse.ArgumentParser(prog="attacks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each attack")
    parser.add_argument("--only", default="", help="attacks whose title holds this")
    parser.add_argument("--markdown", action="store_true", help="print the table of SECURITY.md")
    options = parser.parse_args()
    outcomes = asyncio.run(run(options.seconds, options.only))
    if options.markdown:
        sys.stdout.write(f"{markdown(outcomes)}\n")
    else:
        print_table(outcomes)
    lost = any(
        outcome.honest.lost or outcome.honest.refused or outcome.disconnects
        for outcome in outcomes
        if outcome.configuration.attacker != outcome.configuration.honest
    )
    raise SystemExit(1 if lost else 0)


if __name__ == "__main__":
    main()
