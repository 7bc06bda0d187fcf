"""`keys rotate`: exchange the server xkey under running hosts, one checked step after another."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from adapters.crypto.xkeys import SodiumXKeyPair
from bootstrap.cli.host_channel import host_channel
from bootstrap.cli.key_survey import Survey, how_many, survey
from bootstrap.cli.progress import progress
from bootstrap.cli.reporting import AsJson, CommandError, run
from bootstrap.cli.terminal import say, write_json
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
        int, typer.Option(min=1, help="How many must answer: every worker of every replica counts.")
    ] = 1,
    check: Annotated[bool, typer.Option(help="Ask the running replicas before each step.")] = True,
    finish: Annotated[
        bool, typer.Option("--finish", help="The last step: forget the old key.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Do the next step of a rotation, and say what to do before the one after it.

    Run it again after each step. It asks the running replicas whether they are ready for the step,
    and changes nothing if they are not. It asks as a host does, so log in to NATS as a host.
    """

    async def step() -> tuple[Survey | None, str, _Done]:
        rotation = Rotation.read(file or _configured_file())
        due = rotation.step
        if finish and due is not Step.FINISH:
            raise CommandError(
                f"It is too early for --finish: {due.value} first, without this option."
            )
        key = _key_in_question(rotation, due)
        seen = await _survey(key, replicas, as_json=as_json) if check else None
        if seen is not None:
            _insist(seen, rotation, due, replicas)
        return seen, key.public, _perform(rotation, due, finish=finish)

    seen, key, done = run(step)
    if as_json:
        keys = {name.replace(" ", "_"): public for name, public in done.keys.items()}
        answered = None if seen is None else len(seen.openers)
        write_json({"step": done.step, "replicas": answered, **keys})
        return
    if seen is not None:
        say(_told(seen, key))
    say(done.text)


@dataclass(frozen=True, slots=True)
class _Done:
    """One step that was taken.

    Attributes:
        step: its name for a program; "wait" where nothing is to be done yet.
        keys: public keys by what they are now.
        head: what was done.
        advice: what the operator does next.
    """

    step: str
    keys: dict[str, str]
    head: str
    advice: str

    @property
    def text(self) -> str:
        keys = [f"{name}: {public}" for name, public in self.keys.items()]
        return "\n".join([self.head, *keys, self.advice])


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


async def _survey(key: SodiumXKeyPair, replicas: int, *, as_json: bool) -> Survey:
    async with host_channel() as channel:
        with progress("requests answered", how_many(replicas), as_json=as_json) as advance:
            return await survey(channel, key.public, replicas, advance)


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


def _told(seen: Survey, key: str) -> str:
    if len(seen.openers) == 1:
        return f"1 replica answered, and it opens {key}."
    return f"{len(seen.openers)} replicas answered, and all of them open {key}."


def _perform(rotation: Rotation, due: Step, *, finish: bool) -> _Done:
    path, announced = rotation.path, rotation.current.public
    match due:
        case Step.PREPARE:
            return _Done(
                "prepare",
                {"announced": announced, "next": rotation.prepare().public},
                f"Step 1 of 3: made {next_of(path)}.",
                "Put that file beside the seed file of every replica, restart them one by one, "
                "and run this again.",
            )
        case Step.ANNOUNCE:
            rotation.announce()
            return _Done(
                "announce",
                {"to be announced": _key_in_question(rotation, due).public, "retired": announced},
                f"Step 2 of 3: {path} holds the new key, {retired_of(path)} the old one.",
                "Bring both files to every replica, remove the one that ends in .next there, "
                "restart them one by one, and run this again.",
            )
        case Step.FINISH if not finish:
            return _Done(
                "wait",
                {"announced": announced},
                "Every replica announces the new key.",
                "Hosts that heard the old key use it until they are restarted; their requests have "
                '"server_key":"retired" in the audit trail. Once there are none any more, run '
                "this again with --finish.",
            )
        case Step.FINISH:
            rotation.finish()
            return _Done(
                "finish",
                {"announced": announced},
                f"Step 3 of 3: removed {retired_of(path)}.",
                "Remove it for every replica, and restart them one by one: the old key is "
                "forgotten then.",
            )
