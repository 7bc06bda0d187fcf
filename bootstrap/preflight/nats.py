"""What NATS lets this service do: asked of the server itself, and changed nowhere."""

from __future__ import annotations

import asyncio
import json
import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Final

import nats.errors
import nats.js.errors
from nats.js.api import DEFAULT_PREFIX

from adapters.audit.stream_config import covers
from adapters.audit.stream_names import DEFAULT_SUBJECT, REFUSED_SUBJECT, refused_stream
from adapters.nats.own_limit import USUAL_REQUEST_BYTES
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import SecretsSubjects
from domain.use_cases.check_replicas import ReplicaXKey, check_replicas

if TYPE_CHECKING:
    from nats.js.api import StreamInfo

    from adapters.nats.client import ResilientClient
    from bootstrap.preflight import Findings
    from bootstrap.settings import Configuration
    from domain.use_cases.key_ring import KeyRing
    from ports.clock import Clock
    from ports.key_exchange import KeyExchange
    from ports.transport import Channel

TOPIC: Final = "NATS"
_SECONDS: Final = 2.0
_USER_INFO: Final = "$SYS.REQ.USER.INFO"
_BASE64_GROWTH: Final = 2
"""A reply may be longer than the secret in it: sealed, and in JSON."""


async def check_nats(
    client: ResilientClient, configuration: Configuration, clock: Clock, findings: Findings
) -> None:
    """Look at permissions, limits, the clock and JetStream of an open connection."""
    settings = configuration.transport.settings
    assert isinstance(settings, NatsSettings)  # noqa: S101  the caller has looked
    subjects = SecretsSubjects(
        settings.subject_prefix, settings.api_version, configuration.service.backend
    )
    url = client.connected_url
    findings.ok(TOPIC, f"logged in at {url.hostname}:{url.port}" if url else "logged in")
    await _clock_offset(client, clock, configuration.service.clock_leeway_seconds, findings)
    await _permissions(client, subjects.every_operation, findings)
    _max_payload(client, configuration.service.max_request_bytes, findings)
    if (stream := configuration.service.audit_stream) is not None:
        await _audit_stream(client, stream, DEFAULT_SUBJECT, findings)
        await _audit_stream(client, refused_stream(stream), REFUSED_SUBJECT, findings)


def _max_payload(client: ResilientClient, max_request: int, findings: Findings) -> None:
    most, servers = client.max_payload, client.servers_max_payload
    if servers < USUAL_REQUEST_BYTES:
        findings.failed(
            TOPIC,
            f"max_payload is {servers} bytes, and a usual request has about {USUAL_REQUEST_BYTES}: "
            "nats-server disconnects hosts over longer ones. Raise it on every server.",
        )
    elif most < max_request * _BASE64_GROWTH:
        of_whom = "of the server's configuration" if most == servers else "of this login alone"
        findings.warn(
            TOPIC,
            f"max_payload is {most} bytes, less than twice MAX_REQUEST_BYTES; larger secrets "
            f"cannot be answered: raise that {of_whom}.",
        )
    else:
        findings.ok(TOPIC, f"max_payload {most} bytes")


async def check_other_replicas(
    channel: Channel, exchange: KeyExchange, keys: KeyRing | None, findings: Findings
) -> None:
    """Say whether a running replica announces a key that is this one's too."""
    if keys is None:
        findings.warn(
            "replicas", "There is no server key yet, so running replicas are not compared."
        )
        return
    match await check_replicas(channel, exchange, keys, _SECONDS):
        case ReplicaXKey.NONE:
            findings.ok("replicas", "No other replica answers.")
        case ReplicaXKey.SAME:
            findings.ok("replicas", "A running replica announces the same server key.")
        case ReplicaXKey.RETIRED:
            findings.warn(
                "replicas", "A running replica announces a key that is retired here; restart it."
            )
        case ReplicaXKey.DIFFERENT:
            findings.failed(
                "replicas",
                "A running replica announces another server key; give all replicas the same "
                "SERVER_XKEY_SEED_FILE, or stop the others.",
            )


async def stream_exists(client: ResilientClient, stream: str) -> StreamInfo | None:
    """Return what JetStream knows of a stream; None if there is none.

    Raises:
        nats.errors.Error, TimeoutError: JetStream does not say.
    """
    try:
        return await client.jetstream(timeout=_SECONDS).stream_info(stream)
    except nats.js.errors.NotFoundError:
        return None


def domain_looked_in(client: ResilientClient) -> str | None:
    """Return the JetStream domain of the server where nothing set says that it is the right one."""
    return client.jetstream_domain if client.jetstream_prefix == DEFAULT_PREFIX else None


def made_in(domain: str) -> str:
    """Say what `serve` makes where a stream may be in another domain."""
    return (
        f"does not exist in the JetStream domain {domain} of this server; `serve` makes it there. "
        "If it is in another domain, set NATS_JETSTREAM_PREFIX to $JS.DOMAIN.API with that domain."
    )


async def _clock_offset(
    client: ResilientClient, clock: Clock, leeway: float, findings: Findings
) -> None:
    began = clock.now()
    try:
        answer = await client.request(_USER_INFO, b"", timeout=_SECONDS)
        document = json.loads(answer.data)
        server_time = datetime.fromisoformat(document["server"]["time"]).timestamp()
    except (nats.errors.Error, TimeoutError, ValueError, KeyError, TypeError):
        findings.warn("clock", "NATS does not tell its time to this user; compare clocks by hand.")
        return
    offset = (began + clock.now()) / 2 - server_time
    said = f"{abs(offset):.1f} s {'ahead of' if offset > 0 else 'behind'} NATS"
    if abs(offset) > leeway:
        findings.failed(
            "clock", f"{said}, more than CLOCK_LEEWAY_SECONDS; set up NTP on both machines."
        )
    else:
        findings.ok("clock", said)
    user = document.get("data")
    if isinstance(user, dict):
        name = user.get("user")
        who = f"user {name}" if name else "no user"
        findings.ok(
            TOPIC,
            f"{who}, account {user.get('account')}: hosts of this account reach the service, and "
            "those of others only by an export here and an import there, which cannot be seen here",
        )


async def _permissions(client: ResilientClient, requests: str, findings: Findings) -> None:
    inbox = f"_INBOX.{secrets.token_hex(12)}"
    # Outside the queue group, so that no host's request is taken from a running replica.
    subscription = await client.subscribe(requests)
    await client.publish(inbox, b"")
    await client.flush(timeout=int(_SECONDS))
    await asyncio.sleep(0)
    if requests in client.refused:
        findings.failed(TOPIC, f"may not subscribe to {requests}; grant it on the server.")
    else:
        findings.ok(TOPIC, f"may subscribe to {requests}")
    if client.unsendable == inbox:
        findings.failed(
            TOPIC,
            "may not publish replies to _INBOX.>; grant it, or `allow_responses`, on the server. "
            "With `allow_responses` alone this is no fault: a reply is allowed once it is asked "
            "for.",
        )
    else:
        findings.ok(TOPIC, "may publish replies to _INBOX.>")
    if requests not in client.refused:
        await subscription.unsubscribe()


async def _audit_stream(
    client: ResilientClient, stream: str, subject: str, findings: Findings
) -> None:
    topic = "audit"
    try:
        info = await stream_exists(client, stream)
    except (nats.errors.Error, TimeoutError):
        findings.warn(
            topic,
            f"AUDIT_STREAM: JetStream does not tell this user of {stream}; see that JetStream is "
            "on, and the permissions in docs/nats-accounts.md.",
        )
        return
    if info is None and (domain := domain_looked_in(client)) is not None:
        findings.warn(topic, f"AUDIT_STREAM: {stream} {made_in(domain)}")
    elif info is None:
        findings.ok(topic, f"AUDIT_STREAM: {stream} does not exist; `serve` makes it.")
    elif any(covers(pattern, subject) for pattern in info.config.subjects or ()):
        findings.ok(topic, f"AUDIT_STREAM: {stream} takes {subject}")
    else:
        findings.misconfigured(
            topic, f"AUDIT_STREAM: {stream} does not take {subject}; add it, or name another."
        )
