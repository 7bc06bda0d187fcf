"""`check`: a preflight before the first start and after each change."""

import io

import typer

from bootstrap.cli.reporting import AsJson, guarded_run
from bootstrap.cli.terminal import say, write_json


def check(
    *,
    as_json: AsJson = False,
) -> None:
    """Look at all that a start needs, one line each, and change nothing.

    Settings, files and modes, rules, ports, disk, NATS, other replicas and the store. It logs in to
    NATS and to the store as the service does.

    Exit code 0 if the service can start, 1 if something does not answer or refuses, 2 if settings
    or files must be put right.
    """
    from adapters.telemetry.log_setup import configure_logging
    from bootstrap.preflight.run import preflight

    # What would be logged is said by the findings.
    configure_logging("error", "json", io.StringIO())
    findings = guarded_run(preflight)
    if as_json:
        found = [
            {"level": one.level.word, "topic": one.topic, "text": one.text}
            for one in findings.found
        ]
        write_json({"exit_code": findings.exit_code, "findings": found})
    else:
        width = max(len(one.topic) for one in findings.found)
        for one in findings.found:
            text = one.text.replace("\n", "\n" + " " * (width + 4))
            say(f"{one.level.mark} {one.topic:<{width}}  {text}")
    raise typer.Exit(findings.exit_code)
