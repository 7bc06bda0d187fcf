"""`cache`: have every replica forget what it keeps."""

from typing import Annotated

import typer

from adapters.change_notice.events import EVENT, changed_event
from adapters.change_notice.messages import FLUSH, Cause, Invalidation, ReplicaAnswer, read_answers
from adapters.change_notice.notices import ANSWER_SECONDS
from adapters.nats.client import ResilientClient
from adapters.nats.peer_bus import NatsPeerBus
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import ControlSubjects
from adapters.system.clock import SystemClock
from adapters.system.request_ids import CountingRequestIds
from bootstrap.cli.reporting import AsJson, CommandError, command_group, failure, run
from bootstrap.cli.sessions import session
from bootstrap.cli.terminal import show_table, warn, write_json
from bootstrap.settings import load_settings
from bootstrap.settings.choices import ChoiceSettings
from domain.model.errors import InvalidRequest
from domain.model.selection import Scope, Selection

app = command_group("cache", "Have every replica forget values that it keeps.")

ORIGIN = "cache-flush"


@app.callback()
def _cache() -> None:
    """Make `flush` a command of its own, however few there are."""


@app.command()
def flush(
    *,
    key: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="One secret by its whole path: /payments/API_KEY."),
    ] = None,
    folder: Annotated[
        str | None, typer.Option(metavar="PATH", help="A folder and all below it: /payments.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is kept.")] = False,
    environment: Annotated[
        str | None, typer.Option(help="Only in this environment; default: in all.")
    ] = None,
    project: Annotated[
        str | None, typer.Option(metavar="ID", help="Only in this project; default: in all.")
    ] = None,
    wait: Annotated[
        float, typer.Option(min=0.1, max=60, metavar="SECONDS", help="How long to gather answers.")
    ] = ANSWER_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Empty every replica's cache, whole or in part, and show how many values each one dropped.

    Exit code 1 if no replica answers. Hosts keep what they have until a component starts again.
    """

    async def ask() -> list[ReplicaAnswer]:
        selection = _selection(key, folder, everything, environment, project)
        prefix = load_settings(NatsSettings).subject_prefix
        subjects = ControlSubjects(prefix, load_settings(ChoiceSettings).backend)
        async with session()() as client:
            return await _flush(client, subjects, selection, wait)

    answers = run(ask)
    if as_json:
        write_json([{"replica": one.replica, "dropped": one.removed} for one in answers])
    else:
        _show(answers)
    if not any(answer.removed for answer in answers):
        _hint_at_nothing(key or folder)


async def _flush(
    client: ResilientClient, subjects: ControlSubjects, selection: Selection, wait: float
) -> list[ReplicaAnswer]:
    clock, subject = SystemClock(), subjects.of(FLUSH)
    peers = NatsPeerBus(client, subjects, clock)
    order = Invalidation(CountingRequestIds().next(), ORIGIN, Cause.FLUSH, selection)
    answers = await peers.ask(FLUSH, order.to_json())
    # A denied publish is on the same connection before the flush that `ask` ends with.
    _check_allowed(client, subject)
    gathered = read_answers(await answers.gather(wait))
    _check_allowed(client, answers.inbox)
    if not gathered:
        raise failure(
            f"No service listens on {subject}. Check that the service is running, that "
            "NATS_SUBJECT_PREFIX and BACKEND_NAME are the service's, and that both are in one NATS "
            "account."
            if answers.unheard
            else f"No replica answered on {subject} in time. Check the service's log, "
            "and that its NATS user may publish to the inbox of this one; or wait longer: --wait."
        )
    event = changed_event(order, subjects.backend, clock.now(), len(gathered))
    await peers.publish(EVENT, event)
    if _denied(client, subjects.event(EVENT)):
        warn(
            "The caches are flushed, but this NATS user may not publish to "
            f"{subjects.event(EVENT)}, so no other operator was notified.",
            style="yellow",
        )
    return gathered


def _selection(
    key: str | None,
    folder: str | None,
    everything: bool,  # noqa: FBT001  the command's own option
    environment: str | None,
    project: str | None,
) -> Selection:
    if [key is not None, folder is not None, everything].count(True) != 1:
        raise CommandError("Say what to flush: one of --key, --folder and --all.")
    given = {"environment": environment, "project_id": project}
    scope: Scope = tuple((name, text) for name, text in given.items() if text is not None)
    try:
        if key is not None:
            return Selection.one(key, scope)
        return Selection.everything(scope) if folder is None else Selection.below(folder, scope)
    except InvalidRequest as error:
        advice = error.advice
    raise CommandError(advice)


def _denied(client: ResilientClient, subject: str) -> bool:
    return client.denied is not None and f'"{subject}"' in client.denied.replace("'", '"')


def _check_allowed(client: ResilientClient, subject: str) -> None:
    if _denied(client, subject):
        raise failure(
            f"This NATS user may not use {subject}. Log in as the operator, whose permissions are "
            "in docs/change-notice.md."
        )


def _hint_at_nothing(path: str | None) -> None:
    hint = "No replica kept any value."
    if path is not None:
        hint = (
            f"No replica kept a value at {path}. If one should have, compare the path, letter by "
            "letter, with `path` in the audit trail, and --environment and --project, if given, "
            "with its `scope_…`."
        )
    warn(hint, style="yellow")


def _show(answers: list[ReplicaAnswer]) -> None:
    rows = [(answer.replica, str(answer.removed)) for answer in answers]
    show_table(("replica", "values dropped"), rows, right=[1])
