"""`cache`: have every replica forget what it keeps."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from bootstrap.cli.nats_session import open_nats
from bootstrap.cli.reporting import AsJson, CommandError, command_group, failure, run
from bootstrap.cli.terminal import show_table, warn, write_json

if TYPE_CHECKING:
    from adapters.change_notice.messages import ReplicaAnswer
    from adapters.nats.client import ResilientClient
    from domain.model.selection import Selection

app = command_group("cache", "Have every replica forget values that it keeps.")

ORIGIN: Final = "cache-flush"
_WAIT_SECONDS = 1.0
"""Replicas that tell each other of a change wait as long."""


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
    ] = _WAIT_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Empty every replica's cache, whole or in part, and show how many values each one dropped.

    Exit code 1 if no replica answers. Hosts keep what they have until a component starts again.
    """

    async def ask() -> "list[ReplicaAnswer]":
        return await _flush_caches(
            _selection_of(key, folder, everything, environment, project), wait
        )

    answers = run(ask)
    if as_json:
        write_json([{"replica": one.replica, "dropped": one.removed} for one in answers])
    else:
        rows = [(answer.replica, str(answer.removed)) for answer in answers]
        show_table(("replica", "values dropped"), rows, right=[1])
    if any(answer.removed for answer in answers):
        return
    hint = "No replica kept any value."
    if (path := key or folder) is not None:
        hint = (
            f"No replica kept a value at {path}. If one should have, compare the path, letter by "
            "letter, with `path` in the audit trail, and --environment and --project, if given, "
            "with its `scope_…`."
        )
    warn(hint, style="yellow")


async def _flush_caches(selection: "Selection", wait: float) -> "list[ReplicaAnswer]":
    """Have every replica forget what is selected, and return what each one did. `wait`: seconds to
    gather answers.

    Raises:
        SettingsError: the settings do not allow it.
        NatsConnectError: no NATS server does.
        ChannelError: the order could not be sent.
        typer.Exit: no replica answers, or this user may not do it; what to do has been said.
    """
    from adapters.change_notice.messages import (
        EVENT,
        FLUSH,
        Cause,
        Invalidation,
        changed_event,
        read_answers,
    )
    from adapters.nats.peer_bus import NatsPeerBus
    from adapters.nats.settings import NatsSettings
    from adapters.nats.subjects import ControlSubjects
    from adapters.system.clock import SystemClock
    from adapters.system.request_ids import CountingRequestIds
    from bootstrap.settings import load_settings
    from bootstrap.settings.service import ChoiceSettings

    prefix = load_settings(NatsSettings).subject_prefix
    subjects = ControlSubjects(prefix, load_settings(ChoiceSettings).backend)
    async with open_nats() as client:
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
                "NATS_SUBJECT_PREFIX and BACKEND_NAME are the service's, and that both are in one "
                "NATS account."
                if answers.unheard
                else f"No replica answered on {subject} in time. Check the service's log, and that "
                "its NATS user may publish to the inbox of this one; or wait longer: --wait."
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


def _selection_of(
    key: str | None,
    folder: str | None,
    everything: bool,  # noqa: FBT001  the command's own option
    environment: str | None,
    project: str | None,
) -> "Selection":
    """Return what the options select.

    Raises:
        CommandError: they select nothing, or more than one thing.
    """
    from domain.model.errors import InvalidRequest
    from domain.model.selection import Scope, Selection

    if [key is not None, folder is not None, everything].count(True) != 1:
        raise CommandError("Say what to flush: one of --key, --folder and --all.")
    given = {"environment": environment, "project_id": project}
    scope: Scope = tuple((name, text) for name, text in given.items() if text is not None)
    try:
        if key is not None:
            return Selection.one(key, scope)
        return Selection.everything(scope) if folder is None else Selection.below(folder, scope)
    except InvalidRequest as error:
        raise CommandError(error.advice) from None


def _denied(client: "ResilientClient", subject: str) -> bool:
    return client.denied is not None and f'"{subject}"' in client.denied.replace("'", '"')


def _check_allowed(client: "ResilientClient", subject: str) -> None:
    if _denied(client, subject):
        raise failure(
            f"This NATS user may not use {subject}. Log in as the operator, whose permissions are "
            "in docs/change-notice.md."
        )
