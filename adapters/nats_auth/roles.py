"""What each role may publish and subscribe to: no more than it must.

What a host needs was measured with wasmCloud 1.9.2 (docs/real-hosts.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.nats.subjects import own_inbox

if TYPE_CHECKING:
    from adapters.nats_auth.names import Names

INBOX = "_INBOX.>"
JETSTREAM = "$JS.API"
PEOPLES_JETSTREAM = "JS.SECRETS.API"
"""The same API of the service's account in the account of people, which has one of its own under
the usual name; NATS_JETSTREAM_PREFIX of their commands."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """What one user may do; an empty list of what is allowed means everything that is not denied.
    `allow_responses`: it may answer each request once, wherever the reply goes.
    """

    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()
    deny_publish: tuple[str, ...] = ()
    deny_subscribe: tuple[str, ...] = ()
    allow_responses: bool = False


def service(names: Names) -> Permissions:
    """The backend: answers hosts, reads its bucket, keeps the audit trail."""
    bucket = f"KV_{names.bucket}"
    streams = [
        f"$JS.API.STREAM.{call}.{stream}"
        for stream in (*names.audit_streams, bucket)
        for call in ("INFO", "CREATE")
    ]
    return Permissions(
        subscribe=(
            f"{names.subjects.every_operation} {names.subjects.queue_group}",
            *(names.control(what) for what in ("invalidate", "flush", "login_refused")),
            INBOX,
        ),
        publish=(
            # Replies: to hosts of other accounts, and to other replicas.
            "_R_.>",
            INBOX,
            names.asked[0],
            *(names.control(what) for what in ("invalidate", "login_refused")),
            names.changed,
            f"{names.prefix}.audit.v1",
            f"{names.prefix}.audit.refused.v1",
            *streams,
            f"$JS.API.STREAM.MSG.GET.{bucket}",
            f"$JS.API.DIRECT.GET.{bucket}",
            f"$JS.API.DIRECT.GET.{bucket}.>",
        ),
    )


def operator(names: Names) -> Permissions:
    """A person who stores secrets and flushes caches; it may not ask as a host does.

    Nor may it make streams: a stream may take any subject of its account. The service makes the
    bucket when it first starts.
    """
    return Permissions(
        subscribe=(names.changed, INBOX),
        publish=(
            names.control("flush"),
            names.changed,
            f"$KV.{names.bucket}.>",
            f"{PEOPLES_JETSTREAM}.STREAM.INFO.KV_{names.bucket}",
            f"{PEOPLES_JETSTREAM}.STREAM.MSG.GET.KV_{names.bucket}",
        ),
    )


def auditor(names: Names) -> Permissions:
    """A person who reads the audit streams and nothing else."""
    return Permissions(
        subscribe=(INBOX,),
        publish=tuple(
            f"{PEOPLES_JETSTREAM}.STREAM.{call}.{stream}"
            for stream in names.audit_streams
            for call in ("INFO", "MSG.GET")
        ),
    )


def jetstream_of_people(subject: str) -> str | None:
    """Return what people call a subject of the service's JetStream API; None for other subjects."""
    if not subject.startswith(f"{JETSTREAM}."):
        return None
    return PEOPLES_JETSTREAM + subject.removeprefix(JETSTREAM)


def host(names: Names, lattice: str, *, alone: bool = True) -> Permissions:
    """A wasmCloud host: asks for secrets, and does its lattice's work.

    It may not make streams: a stream may take any subject, also that of the requests. The buckets
    are made once, by the lattice's own user.

    Args:
        lattice: the host's.
        alone: the lattice has its NATS account to itself. Where it shares one, hosts publish to no
            inbox, so calls between hosts and providers (wRPC) do not work.
    """
    buckets = [f"{kind}_{lattice}" for kind in ("LATTICEDATA", "CONFIGDATA")]
    calls = [
        call
        for bucket in buckets
        for call in (
            f"$JS.API.STREAM.INFO.KV_{bucket}",
            f"$JS.API.CONSUMER.CREATE.KV_{bucket}",
            f"$JS.API.CONSUMER.CREATE.KV_{bucket}.>",
            f"$JS.API.DIRECT.GET.KV_{bucket}.>",
            f"$KV.{bucket}.>",
        )
    ]
    wrpc = (f"{lattice}.*.wrpc.>",)
    return Permissions(
        publish=(
            *names.asked,
            f"wasmbus.evt.{lattice}.>",
            f"wasmbus.rpc.{lattice}.>",
            *calls,
            # Arguments and results of wRPC travel to inboxes that no request names.
            *((*wrpc, INBOX) if alone else ()),
        ),
        subscribe=(
            f"wasmbus.ctl.v1.{lattice}.>",
            f"wasmbus.rpc.{lattice}.>",
            *(wrpc if alone else ()),
            INBOX,
        ),
        # In one account with the service its inboxes lie among all others.
        deny_subscribe=() if alone else (f"{own_inbox('_INBOX')}.>",),
        allow_responses=True,
    )


def lattice_user(names: Names) -> Permissions:
    """wadm, wash, and who makes the lattice's buckets: everything but answering for the backend."""
    return Permissions(deny_subscribe=(f"{names.prefix}.>",))
