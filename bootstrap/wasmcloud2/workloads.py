"""What `wasmcloud-secrets workload` asks of hosts, by way of the relay."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

from nats import errors

from adapters.wasmcloud2.answers import read_status
from adapters.wasmcloud2.message import subject_of
from bootstrap.cli.nats_session import unless_denied
from bootstrap.cli.reporting import CommandError
from ports.transport import ChannelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.nats.client import ResilientClient
    from adapters.wasmcloud2.message import WorkloadStatus


HEARTBEATS: Final = "runtime.operator.heartbeat.*"


async def only_host(client: ResilientClient, seconds: float) -> str:
    """Return the id of the one host whose heartbeat is heard.

    Raises:
        ChannelError: none is heard in time.
        CommandError: several are.
    """
    found: dict[str, None] = {}
    subscription = await client.subscribe(HEARTBEATS)
    try:
        async with asyncio.timeout(seconds):
            async for message in subscription.messages:
                found[message.subject.rsplit(".", 1)[1]] = None
    except TimeoutError:
        pass
    finally:
        await subscription.unsubscribe()
    if not found:
        raise ChannelError(
            f"No host was heard for {seconds:g} seconds. Check that a host and the relay run, "
            "that RELAY_OPERATOR_URL leads to the relay's operator side, or name it by --host.",
            reason="timeout",
        )
    if len(found) > 1:
        raise CommandError(f"Several hosts are there; name one by --host: {', '.join(found)}.")
    return next(iter(found))


async def ask(
    client: ResilientClient, host: str, what: str, body: Mapping[str, Any], seconds: float
) -> WorkloadStatus:
    """Ask a host about a workload.

    Raises:
        ChannelError: there is no answer, or none of a host.
    """
    client.denied = None
    asking = client.request(
        subject_of(host, what).decode(), json.dumps(body).encode(), timeout=seconds
    )
    try:
        message = await unless_denied(asking, lambda: client.denied, _not_permitted)
    except errors.NoRespondersError:
        failure = ChannelError(
            f"No host {host} listens. Check its id and that the host runs; it may have been "
            "started again, which gives it another id.",
            reason="no_responders",
        )
    except TimeoutError:
        failure = ChannelError(
            "The host did not answer in time. It answers nothing to a request that it cannot "
            "read: check the spelling of the members; or give --timeout for a large component.",
            reason="timeout",
        )
    except (errors.Error, OSError):
        failure = ChannelError(
            "The request could not be sent: the connection to NATS is gone, or the workload is "
            "larger than the server takes.",
            reason="disconnected",
        )
    else:
        if (status := read_status(message.data)) is not None:
            return status
        failure = ChannelError(
            "The answer is not a host's; check RELAY_OPERATOR_URL.", reason="timeout"
        )
    raise failure


def _not_permitted(_: str) -> ChannelError:
    return ChannelError(
        "This NATS user may not ask hosts; log in as the operator, as deploy/nats/wasmcloud2.conf "
        "permits it.",
        reason="disconnected",
    )
