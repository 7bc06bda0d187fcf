"""Where an answer may go: one rule for all that peers can have this service answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from adapters.nats.subjects import DEFAULT_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST: Final = 1024
"""Longer ones could push the answer's control line over what the server takes, and it hangs up."""


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
