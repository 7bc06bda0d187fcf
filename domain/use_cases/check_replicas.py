"""The guard against a replica that announces another key."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from domain.model.errors import InvalidXKey
from domain.model.transport import Operation
from ports.transport import ChannelError

if TYPE_CHECKING:
    from domain.use_cases.key_ring import KeyRing
    from ports.key_exchange import KeyExchange
    from ports.transport import Channel


class ReplicaXKey(StrEnum):
    """What the others on the same subject announce."""

    NONE = "none"
    SAME = "same"
    RETIRED = "retired"
    DIFFERENT = "different"


async def check_replicas(
    channel: Channel, key_exchange: KeyExchange, keys: KeyRing, timeout_seconds: float
) -> ReplicaXKey:
    """Ask this service's own subject for its xkey, before taking any request.

    A host keeps the first key it hears, and the queue group sends its requests to any replica: two
    keys would make half of them fail. RETIRED means that the others announce a key this one still
    opens, as in the middle of a rotation.
    """
    try:
        reply = await channel.request(Operation.SERVER_XKEY, b"", None, timeout_seconds)
    except ChannelError:
        return ReplicaXKey.NONE
    try:
        announced = key_exchange.parse_public(reply.body.decode("ascii"))
    except (InvalidXKey, UnicodeDecodeError):
        return ReplicaXKey.DIFFERENT
    if announced == keys.current.public:
        return ReplicaXKey.SAME
    if any(announced == pair.public for pair in keys.retired):
        return ReplicaXKey.RETIRED
    return ReplicaXKey.DIFFERENT
