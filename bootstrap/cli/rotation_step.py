"""One step of a rotation of the server xkey, once the running replicas are ready for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bootstrap.cli.as_host import host_channel
from bootstrap.cli.key_survey import Survey, how_many, survey
from bootstrap.cli.reporting import CommandError, NotReadyError
from bootstrap.cli.terminal import progress
from bootstrap.seed_rotation import Rotation, Step, next_of, retired_of
from bootstrap.settings import load_settings
from bootstrap.settings.service import KeySettings

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.crypto.xkeys import SodiumXKeyPair


@dataclass(frozen=True, slots=True)
class StepDone:
    """One step that was taken.

    Attributes:
        step: its name for a program; "wait" where nothing is to be done yet.
        keys: public keys by what they are now.
        head, advice: what was done, and what the operator does next.
    """

    step: str
    keys: dict[str, str]
    head: str
    advice: str

    @property
    def text(self) -> str:
        """What to tell a person."""
        keys = [f"{name}: {public}" for name, public in self.keys.items()]
        return "\n".join([self.head, *keys, self.advice])


async def next_step(
    file: Path | None, replicas: int, *, check: bool, finish: bool, as_json: bool
) -> tuple[Survey | None, str, StepDone]:
    """Take the next step; return what the replicas answered, the key that they were asked about,
    and what was done.

    Raises:
        NotReadyError: they are not ready; nothing was changed.
        CommandError: it is too early, or other replicas answer; nothing was changed.
        SeedFileError: the seed file cannot be used.
    """
    rotation = Rotation.read(file or _configured_file())
    due = rotation.step
    if finish and due is not Step.FINISH:
        raise CommandError(f"It is too early for --finish: {due.value} first, without this option.")
    key = _key_in_question(rotation, due)
    seen = await _survey(key, replicas, as_json=as_json) if check else None
    if seen is not None:
        _insist(seen, rotation, due, replicas)
    return seen, key.public, _perform(rotation, due, finish=finish)


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
    """Raise NotReadyError if replicas are not ready, CommandError if they are others than meant."""
    if seen.silent:
        raise NotReadyError(
            f"{seen.silent} of {seen.asked} requests got no proper answer. Nothing was changed; "
            "see that all replicas run, are not overloaded and may publish their replies "
            "(nats.permission_denied in their logs), then run this again."
        )
    others = seen.announced.keys() - {rotation.current.public}
    if others and due is Step.FINISH:
        raise NotReadyError(
            "Some replicas still announce the old key, or another. Nothing was changed; give them "
            f"the new {rotation.path}, restart them, then run this again."
        )
    if others:
        raise CommandError(
            f"The replicas announce another key than that of {rotation.path}. Nothing was changed; "
            "run this with the file and the NATS settings of that service."
        )
    if seen.closed:
        raise NotReadyError(
            "Some replicas do not open the new key yet. Nothing was changed; give them "
            f"{next_of(rotation.path)} beside the seed file, restart them, then run this again."
        )
    if len(seen.openers) < replicas:
        raise NotReadyError(
            f"Only {len(seen.openers)} of {replicas} replicas answered. Nothing was changed; start "
            "the others, or correct --replicas, then run this again."
        )


def answers_text(seen: Survey, key: str) -> str:
    """Return what the replicas answered, for a person."""
    if len(seen.openers) == 1:
        return f"1 replica answered, and it opens {key}."
    return f"{len(seen.openers)} replicas answered, and all of them open {key}."


def _perform(rotation: Rotation, due: Step, *, finish: bool) -> StepDone:
    path, announced = rotation.path, rotation.current.public
    match due:
        case Step.PREPARE:
            return StepDone(
                "prepare",
                {"announced": announced, "next": rotation.prepare().public},
                f"Step 1 of 3: made {next_of(path)}.",
                "Put that file beside the seed file of every replica, restart them one by one, "
                "and run this again.",
            )
        case Step.ANNOUNCE:
            rotation.announce()
            return StepDone(
                "announce",
                {
                    "to be announced": _key_in_question(rotation, due).public,
                    "retired": announced,
                },
                f"Step 2 of 3: {path} holds the new key, {retired_of(path)} the old one.",
                "Bring both files to every replica, remove the one that ends in .next there, "
                "restart them one by one, and run this again.",
            )
        case Step.FINISH if not finish:
            return StepDone(
                "wait",
                {"announced": announced},
                "Every replica announces the new key.",
                "Hosts that heard the old key use it until they are restarted; their requests have "
                '"server_key":"retired" in the audit trail. Once there are none any more, run '
                "this again with --finish.",
            )
        case Step.FINISH:
            rotation.finish()
            return StepDone(
                "finish",
                {"announced": announced},
                f"Step 3 of 3: removed {retired_of(path)}.",
                "Remove it for every replica, and restart them one by one: the old key is "
                "forgotten then.",
            )
