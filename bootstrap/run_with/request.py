"""What `exec` is asked for: variables, the secrets they hold, and for whom these are read."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bootstrap.cli.reporting import FAILED, CommandError
from domain.model.authenticated_request import AskedSecret
from domain.model.errors import InvalidRequest
from domain.model.secret_uri import SCHEME, SecretUri, parse_secret_uri
from domain.use_cases.follow_secrets import FollowedSecret, Held

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domain.model.secret import SecretValue
    from domain.model.workload import Workload
    from domain.use_cases.follow_secrets import State

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

MAX_STALE_SECONDS: Final = 300.0
GRACE_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Run:
    """One command with its secrets.

    Attributes:
        max_stale_seconds: how old a value gets that the store does not confirm, while watching.
        grace_seconds: what the command gets to end after SIGTERM, before SIGKILL.
    """

    command: tuple[str, ...]
    secrets: tuple[FollowedSecret, ...]
    watch: bool = False
    max_stale_seconds: float = MAX_STALE_SECONDS
    grace_seconds: float = GRACE_SECONDS


class RefusedError(CommandError):
    """A secret cannot be had, so the command is not run; the text names variable and key."""

    exit_code = FAILED


def read_mappings(mappings: Iterable[str], workload: Workload) -> tuple[FollowedSecret, ...]:
    """Read `NAME=KEY` or `NAME=secret://…`, each variable once.

    Raises:
        CommandError: one is written otherwise; the text repeats the variable's name alone.
    """
    found: dict[str, FollowedSecret] = {}
    for number, mapping in enumerate(mappings, start=1):
        name, equals, reference = mapping.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise CommandError(
                f"The mapping number {number} is not NAME=KEY: a variable's name has letters, "
                "digits and _, and the key stands after the first =."
            )
        if name in found:
            raise CommandError(f"{name} is mapped twice; keep one of the two.")
        found[name] = FollowedSecret(workload, _wanted(name, reference), name)
    if not found:
        raise CommandError("Nothing is mapped: give --map NAME=KEY at least once.")
    return tuple(found.values())


def variables(states: Mapping[FollowedSecret, State | None]) -> dict[bytes, bytes]:
    """Return the variables of secrets that were read.

    Raises:
        RefusedError: one was refused, or holds what no variable can.
    """
    found: dict[bytes, bytes] = {}
    refused: list[str] = []
    for secret, state in states.items():
        data = _as_bytes(state.secret.value) if isinstance(state, Held) else None
        if data is None:
            refused.append(_refusal(secret, state))
        else:
            found[secret.name.encode()] = data
    if refused:
        raise RefusedError("\n".join(refused))
    return found


def environment_with(
    inherited: Mapping[str, str], secrets: Mapping[bytes, bytes]
) -> dict[bytes, bytes]:
    """Return the command's environment: what it inherits, and the secrets over it."""
    return {os.fsencode(name): os.fsencode(text) for name, text in inherited.items()} | dict(
        secrets
    )


def _wanted(name: str, reference: str) -> SecretUri:
    if not reference.startswith(SCHEME):
        if not reference:
            raise CommandError(f"{name} has no key; write {name}=KEY.")
        return SecretUri(AskedSecret(reference, None, None))
    try:
        return parse_secret_uri(reference)
    except InvalidRequest as error:
        raise CommandError(f"{name}: {error.advice}") from None


def _refusal(secret: FollowedSecret, state: State | None) -> str:
    about = f"{secret.name} (key {secret.wanted.asked.key})"
    match state:
        case None:
            return f"{about} was not read."
        case Held():
            return f"{about} holds a NUL, or a text that is no UTF-8: no variable can hold it."
        case _:
            where = f" [request {state.request_id}]" if state.request_id else ""
            return f"{about}: {state.error.advice} ({state.error.reason}){where}"


def _as_bytes(value: SecretValue) -> bytes | None:
    payload = value.reveal()
    try:
        data = payload.encode("utf-8") if isinstance(payload, str) else payload
    except UnicodeEncodeError:
        return None
    return None if b"\0" in data else data
