"""The subjects of the secrets protocol, v1alpha1, and where an answer to a peer may go."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, final

from domain.model.opaque import opaque

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_PREFIX: Final = "wasmcloud.secrets"

_SUBJECT = re.compile(r"[^\s.*>\x00-\x1f\x7f]+(\.[^\s.*>\x00-\x1f\x7f]+)*")

_LONGEST: Final = 1024
"""Longer ones could push the answer's control line over what the server takes, and it hangs up."""


class NatsConfigError(ValueError):
    """A setting for NATS cannot work; the text says which and holds no credential."""


def is_subject(text: str) -> bool:
    """Whether `text` is a subject that one can publish to: no wildcard, space or empty token."""
    return _SUBJECT.fullmatch(text) is not None


def own_inbox(prefix: str) -> str:
    """Return what the inboxes of every replica begin with, none of which a request may name.

    They bring the acknowledgements of JetStream and the answers of the store. A replica that asks
    others as a host does gets the reply elsewhere: there they have to answer.
    """
    return f"{prefix}.secrets-backend"


@opaque
class SecretsSubjects:
    """Where one backend listens: `{prefix}.{api_version}.{backend}.{operation}`.

    Raises:
        NatsConfigError: a part cannot stand in a subject.
    """

    prefix: str = DEFAULT_PREFIX
    api_version: str = "v1alpha1"
    backend: str = "infisical"

    def __post_init__(self) -> None:
        _check(
            {
                "subject prefix": self.prefix,
                "API version": self.api_version,
                "backend name": self.backend,
            }
        )

    @property
    def base(self) -> str:
        """What every operation's subject begins with, final dot included."""
        return f"{self.prefix}.{self.api_version}.{self.backend}."

    @property
    def every_operation(self) -> str:
        """Known operations and any other, so that an unknown one gets an error."""
        return f"{self.base}>"

    @property
    def queue_group(self) -> str:
        """The group every replica joins; the other backends name theirs the same way."""
        return f"{self.prefix}.{self.backend}"

    def of(self, operation: str) -> str:
        """Return the subject of one operation."""
        return f"{self.base}{operation}"


@opaque
class ControlSubjects:
    """Where the processes of one backend reach each other, and where operators hear of events.

    Both lie beside the subjects that hosts may publish to (`{prefix}.{api_version}.{backend}.…`),
    never below them.

    Raises:
        NatsConfigError: a part cannot stand in a subject.
    """

    prefix: str = DEFAULT_PREFIX
    backend: str = "infisical"

    def __post_init__(self) -> None:
        _check({"subject prefix": self.prefix, "backend name": self.backend})

    def of(self, topic: str) -> str:
        """Return what every process listens on, in no queue group, for one topic."""
        return f"{self.prefix}.control.{self.backend}.{topic}"

    def event(self, name: str) -> str:
        """Return what operators subscribe to for one kind of event."""
        return f"{self.prefix}.events.{self.backend}.{name}"


def _check(named: dict[str, str]) -> None:
    for name, text in named.items():
        if not is_subject(text):
            raise NatsConfigError(
                f"The {name} {text!r} cannot stand in a NATS subject; use words joined by dots, "
                "without spaces, '*', '>' or empty parts."
            )


@final
class ReplySubjects:
    """Says of a reply subject whether an answer may go there.

    Names beginning with "$" are the server's own: a peer could otherwise have this service write
    into streams and buckets with the service's permissions. Those of the secrets protocol would
    carry an answer to this service itself, to another backend, or among the audit events; those of
    the service's inboxes an answer that it would take for one of JetStream's.

    Args:
        prefix: what the subjects of the secrets protocol begin with here. The audit events are
            below the usual one in either case.
        closed: further beginnings, such as `own_inbox`.
    """

    def __init__(self, prefix: str, closed: Iterable[str | None] = ()) -> None:
        beginnings = {prefix, DEFAULT_PREFIX, *filter(None, closed)}
        self._never = (b"$", *(f"{beginning}.".encode() for beginning in sorted(beginnings)))

    def may_be(self, reply_to: bytes) -> bool:
        """Say whether an answer may go there."""
        if not reply_to or len(reply_to) > _LONGEST or reply_to.startswith(self._never):
            return False
        return reply_to.isascii() or _is_text(reply_to)


def _is_text(subject: bytes) -> bool:
    try:
        subject.decode()
    except UnicodeDecodeError:
        return False
    return True
