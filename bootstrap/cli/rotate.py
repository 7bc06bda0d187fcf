"""`keys rotate`: exchange the server xkey under running hosts, one checked step after another."""

from pathlib import Path
from typing import Annotated

import typer

from adapters.crypto.xkeys import SodiumXKeyPair
from bootstrap.cli.host_channel import host_channel
from bootstrap.cli.key_survey import Survey, survey
from bootstrap.cli.reporting import CommandError, run
from bootstrap.cli.terminal import say
from bootstrap.seed_rotation import Rotation, Step, next_of, retired_of
from bootstrap.settings import load_settings
from bootstrap.settings.service import KeySettings


def rotate(
    *,
    file: Annotated[
        Path | None,
        typer.Option(
            help="The seed file; otherwise that of SERVER_XKEY_SEED_FILE.", dir_okay=False
        ),
    ] = None,
    replicas: Annotated[
        int,
        typer.Option(min=1, help="How many must answer: every worker of every replica counts."),
    ] = 1,
    check: Annotated[bool, typer.Option(help="Ask the running replicas before each step.")] = True,
    finish: Annotated[
        bool, typer.Option("--finish", help="The last step: forget the old key.")
    ] = False,
) -> None:
    """Do the next step of a rotation, and say what to do before the one after it.

    Run it again after each step. It asks the running replicas whether they are ready for the step,
    and changes nothing if they are not. It asks as a host does, so log in to NATS as a host.
    """

    async def step() -> str:
        rotation = Rotation.read(file or _configured_file())
        due = rotation.step
        if finish and due is not Step.FINISH:
            raise CommandError(
                f"It is too early for --finish: {due.value} first, without this option."
            )
        key = _key_in_question(rotation, due)
        seen = await _survey(key, replicas) if check else None
        if seen is not None:
            _insist(seen, rotation, due, replicas)
        done = _perform(rotation, due, finish=finish)
        return done if seen is None else f"{_told(seen, key)}\n{done}"

    say(run(step))


def _configured_file() -> Path:
    path = load_settings(KeySettings).server_xkey_seed_file
    if path is None:
        raise CommandError(
            "Set SERVER_XKEY_SEED_FILE as for the service, or give --file. A seed in "
            "SERVER_XKEY_SEED is rotated by hand: see docs/operations.md."
        )
    return path


def _key_in_question(rotation: Rotation, due: Step) -> SodiumXKeyPair:
    """Return the key that every replica must open before the step is taken."""
    if due is Step.ANNOUNCE and rotation.coming is not None:
        return rotation.coming
    return rotation.current


async def _survey(key: SodiumXKeyPair, replicas: int) -> Survey:
    async with host_channel() as channel:
        return await survey(channel, key.public, replicas)


def _insist(seen: Survey, rotation: Rotation, due: Step, replicas: int) -> None:
    """Raise CommandError if the replicas are not ready for the step."""
    if seen.silent:
        raise CommandError(
            f"{seen.silent} of {seen.asked} requests got no proper answer. Nothing was changed; "
            "see that all replicas run, are not overloaded and may publish their replies "
            "(nats.permission_denied in their logs), then run this again."
        )
    others = seen.announced.keys() - {rotation.current.public}
    if others and due is Step.FINISH:
        raise CommandError(
            "Some replicas still announce the old key, or another. Nothing was changed; give them "
            f"the new {rotation.path}, restart them, then run this again."
        )
    if others:
        raise CommandError(
            f"The replicas announce another key than that of {rotation.path}. Nothing was changed; "
            "run this with the file and the NATS settings of that service."
        )
    if seen.closed:
        raise CommandError(
            "Some replicas do not open the new key yet. Nothing was changed; give them "
            f"{next_of(rotation.path)} beside the seed file, restart them, then run this again."
        )
    if len(seen.openers) < replicas:
        raise CommandError(
            f"Only {len(seen.openers)} of {replicas} replicas answered. Nothing was changed; start "
            "the others, or correct --replicas, then run this again."
        )


def _told(seen: Survey, key: SodiumXKeyPair) -> str:
    if len(seen.openers) == 1:
        return f"1 replica answered, and it opens {key.public}."
    return f"{len(seen.openers)} replicas answered, and all of them open {key.public}."


def _perform(rotation: Rotation, due: Step, *, finish: bool) -> str:
    path = rotation.path
    match due:
        case Step.PREPARE:
            coming = rotation.prepare()
            return (
                f"Step 1 of 3: made {next_of(path)}.\n"
                f"announced: {rotation.current.public}\n"
                f"next: {coming.public}\n"
                "Put that file beside the seed file of every replica, restart them one by one, "
                "and run this again."
            )
        case Step.ANNOUNCE:
            rotation.announce()
            return (
                f"Step 2 of 3: {path} holds the new key, {retired_of(path)} the old one.\n"
                f"to be announced: {_key_in_question(rotation, due).public}\n"
                f"retired: {rotation.current.public}\n"
                "Bring both files to every replica, remove the one that ends in .next there, "
                "restart them one by one, and run this again."
            )
        case Step.FINISH if not finish:
            return (
                f"Every replica announces {rotation.current.public}.\n"
                "Hosts that heard the old key use it until they are restarted; their requests have "
                '"server_key":"retired" in the audit trail. Once there are none any more, run '
                "this again with --finish."
            )
        case Step.FINISH:
            rotation.finish()
            return (
                f"Step 3 of 3: removed {retired_of(path)}.\n"
                "Remove it for every replica, and restart them one by one: the old key is "
                "forgotten then."
            )
