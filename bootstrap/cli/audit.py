"""`audit`: who asked for what, why it was refused, and whether the trail is whole."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.audit.stream_names import DEFAULT_STREAM, is_stream_name
from bootstrap.cli.reporting import FAILED, METAVAR, AsJson, command_group, failure, run
from bootstrap.cli.terminal import printable, say, warn, write_json, write_stored
from domain.model.audit import Outcome

if TYPE_CHECKING:
    from bootstrap.cli.audit_trail_check import VerifiedTrail

app = command_group("audit", "Show who asked for what, and what became of it.")

_INTERRUPTED = 130


def _stream_name(text: str) -> str:
    if is_stream_name(text):
        return text
    raise ValueError('a stream\'s name holds only letters, digits, "_" and "-"')


_Stream = Annotated[
    str,
    typer.Option(
        parser=_stream_name,
        metavar="STREAM",
        help="The stream's name; the one beside it is read as well.",
    ),
]
_File = Annotated[
    Path | None, typer.Option(help="Read this file instead of the stream.", dir_okay=False)
]


@app.command()
def verify(
    *,
    files: Annotated[
        list[Path] | None,
        typer.Option("--file", help="Check this file; again for later ones.", dir_okay=False),
    ] = None,
    stream: _Stream = DEFAULT_STREAM,
    keys: Annotated[
        list[str] | None,
        typer.Option(
            "--key", help="A public key, as audit.signing logs it; otherwise the server xkey's."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the signatures of audit events, and that none is missing between them.

    Exit code 1 if anything is wrong. What was cut off at the end, nothing can show.
    """

    async def check() -> "list[VerifiedTrail]":
        from bootstrap.cli.audit_trail_check import verified_trails

        return await verified_trails(files, stream, keys, as_json=as_json)

    found = run(check)
    if as_json:
        write_json([one.as_object() for one in found])
    else:
        for one in found:
            one.show()
    if any(one.problems for one in found):
        raise typer.Exit(FAILED)


@app.command()
def tail(
    *,
    since: Annotated[
        str, typer.Option(metavar=METAVAR, help="Begin that long ago, such as 90s, 10m, 2h or 7d.")
    ] = "10m",
    follow: Annotated[
        bool, typer.Option(help="Go on showing events as they come, until Ctrl-C.")
    ] = True,
    errors_only: Annotated[
        bool, typer.Option("--errors-only", help="Show only what was not answered.")
    ] = False,
    key: Annotated[
        str | None, typer.Option(help="Show only this key or path, or those that begin so.")
    ] = None,
    entity: Annotated[
        str | None,
        typer.Option(
            help="Show only this entity or workload, by the beginning of its key or name."
        ),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Show only this reason code.")] = None,
    outcome: Annotated[
        Outcome | None, typer.Option(help="Show only what came to this.", case_sensitive=False)
    ] = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Also show hosts asking for the server's xkey, and probes of keys rotate."
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write events byte for byte as they are stored.")
    ] = False,
    file: _File = None,
    stream: _Stream = DEFAULT_STREAM,
) -> None:
    """Show audit events, oldest first, from the two JetStream streams or a file."""

    async def show() -> None:
        from bootstrap.cli.audit_events import EventFilter, doubt_of_reason, events, show_events

        if reason is not None and (doubt := doubt_of_reason(reason)):
            warn(printable(doubt), style="yellow")
        wanted = EventFilter(
            key=key,
            entity=entity,
            reason=reason,
            outcome=outcome,
            errors_only=errors_only,
            everything=everything,
        )
        found = events(file, stream, since, follow=follow)
        await show_events(found, wanted, as_json=as_json)

    try:
        run(show)
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None


@app.command()
def why(
    *,
    since: Annotated[
        str, typer.Option(metavar=METAVAR, help="Look that far back, such as 90s, 10m or 2h.")
    ] = "1h",
    host: Annotated[str | None, typer.Option(help="The host's key (N…), or its beginning.")] = None,
    application: Annotated[str | None, typer.Option(help="The wadm application.")] = None,
    component: Annotated[
        str | None,
        typer.Option(help="The component's, provider's or workload's name, or its key (M…, V…)."),
    ] = None,
    said: Annotated[
        str | None,
        typer.Option("--said", metavar="TEXT", help="The error as the host's event has it."),
    ] = None,
    last: Annotated[int, typer.Option(min=1, max=1000, help="So many refusals, newest first.")] = 1,
    file: _File = None,
    stream: _Stream = DEFAULT_STREAM,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write the events, one a line, as they are stored.")
    ] = False,
) -> None:
    """Show the last secrets that a host did not get, which its own texts never name.

    Exit code 1 if there are none in that time.
    """

    async def find() -> list[bytes]:
        from bootstrap.cli.audit_events import events
        from bootstrap.cli.audit_refusals import WantedRefusal, matching

        wanted = WantedRefusal(host, application, component, said)
        found = events(file, stream, since, follow=False)
        return await matching(found, wanted, last, as_json=as_json)

    found = run(find)
    if not found:
        raise failure(
            f"No refusal of that kind in the last {since}. If the host says `no responders` or "
            "`deadline has elapsed`, the request never arrived or was not answered: see "
            "docs/troubleshooting.md.",
            FAILED,
        )
    from bootstrap.cli.audit_refusals import explained

    for line in found:
        if as_json:
            write_stored(line)
            continue
        for shown in explained(json.loads(line)):
            say(shown)
