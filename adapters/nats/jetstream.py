"""nats-py's JetStream, whose every answer has the shape that its types promise.

nats-py takes what an answer holds as it comes: one that JetStream did not write raises whatever its
reading ends in, or puts a text where a number is expected. Here that is `ProtocolError`.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog
from nats.errors import ProtocolError
from nats.js import JetStreamContext
from nats.js.api import DEFAULT_PREFIX, StreamConfig, StreamState
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nats.js.api import PubAck, RawStreamMsg, StreamInfo

_Answer = TypeVar("_Answer")

_KV: Final = "$KV."
_DOMAINS_API: Final = re.compile(r"\$JS\.[^.]+\.API")
"""Where the JetStream of a domain is reached, as nats-server maps it."""

_log = structlog.get_logger()

_UNREADABLE: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


class StrictJetStream(JetStreamContext):
    """Takes the place of nats-py's own.

    Each call raises `nats.errors.ProtocolError` over an answer that is none of JetStream's.
    """

    @override
    async def get_msg(self, *positional: Any, **named: Any) -> RawStreamMsg:
        return await _checked(super().get_msg(*positional, **named), _is_message)

    @override
    async def stream_info(self, *positional: Any, **named: Any) -> StreamInfo:
        return await _checked(super().stream_info(*positional, **named), _is_stream)

    @override
    async def add_stream(self, *positional: Any, **named: Any) -> StreamInfo:
        made = await _checked(super().add_stream(*positional, **named), _is_stream)
        domain = getattr(self._nc, "jetstream_domain", None)
        if domain is not None and self._prefix == DEFAULT_PREFIX:
            # It was not found, and nothing says that it is not in another domain.
            _log.warning(
                "nats.stream_made_in_domain",
                stream=made.config.name,
                domain=domain,
                advice="There was no such stream in the JetStream domain of this server, so an "
                "empty one was made there. If it is in another domain, set NATS_JETSTREAM_PREFIX "
                "to $JS.DOMAIN.API with that domain, and remove the new one.",
            )
        return made

    @override
    async def publish(self, subject: str, *positional: Any, **named: Any) -> PubAck:
        if subject.startswith(_KV) and _DOMAINS_API.fullmatch(self._prefix):
            # Servers let no bucket's own subjects pass between two domains.
            subject = f"{self._prefix}.{subject}"
        return await _checked(super().publish(subject, *positional, **named), _is_acknowledgement)


async def _checked(call: Awaitable[_Answer], is_sound: Callable[[Any], bool]) -> _Answer:
    try:
        answer = await call
    except _UNREADABLE:
        answer = None
    # Raised out here: the error that is left behind quotes the answer.
    if answer is None or not is_sound(answer):
        raise ProtocolError
    return answer


# Any, since the types that nats-py declares are what is in doubt here.
def _is_message(message: Any) -> bool:
    return (
        isinstance(message.subject, str)
        and _is_count(message.seq)
        and isinstance(message.data, bytes | None)
        and isinstance(message.headers, dict | None)
        and isinstance(message.time, datetime | None)
    )


def _is_stream(info: Any) -> bool:
    if not (isinstance(info.config, StreamConfig) and isinstance(info.state, StreamState)):
        return False
    config, state = vars(info.config), vars(info.state)
    return (
        isinstance(config["subjects"], list | None)
        and all(isinstance(subject, str) for subject in config["subjects"] or ())
        and all(_is_count(state[name]) for name in ("messages", "first_seq", "last_seq"))
        and isinstance(state["subjects"], dict | None)
    )


def _is_acknowledgement(acknowledgement: Any) -> bool:
    return isinstance(acknowledgement.stream, str) and _is_count(acknowledgement.seq)


def _is_count(number: object) -> bool:
    return type(number) is int and number >= 0
