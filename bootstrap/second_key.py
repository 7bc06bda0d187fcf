"""The start of a replica beside others: all of them must announce one server xkey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from bootstrap.service_failure import ServiceFailedError
from domain.model.transport import Operation
from domain.use_cases.check_replicas import ReplicaXKey, check_replicas

if TYPE_CHECKING:
    from domain.use_cases.key_ring import KeyRing
    from ports.key_exchange import KeyExchange
    from ports.transport_plugin import TransportParts

_REPLICA_SECONDS: Final = 2.0

_log = structlog.get_logger()


async def refuse_second_key(
    transport: TransportParts, keys: KeyRing, key_exchange: KeyExchange
) -> None:
    """Ask the other replicas for their server xkey, where the transport can.

    Raises:
        ServiceFailedError: another one announces a key that is none of this one's.
    """
    if transport.channel is None:
        return
    mine = keys.current.public
    match await check_replicas(transport.channel, key_exchange, keys, _REPLICA_SECONDS):
        case ReplicaXKey.DIFFERENT:
            where = transport.address_of(Operation.SERVER_XKEY)
            raise ServiceFailedError(
                f"Another replica answers {where} with another server xkey than this one's "
                f"({mine}). Hosts keep one key and are served by any replica, so requests would "
                "fail at random: give all replicas the same SERVER_XKEY_SEED or "
                "SERVER_XKEY_SEED_FILE, or stop the other replicas first."
            )
        case ReplicaXKey.RETIRED:
            _log.warning(
                "server_xkey.rotating",
                server_xkey=mine,
                meaning="Other replicas still announce a key that is retired here, and cannot "
                "open what is sealed for the new one.",
                advice="Restart them with the same seeds soon.",
            )
        case ReplicaXKey.NONE | ReplicaXKey.SAME:
            pass
