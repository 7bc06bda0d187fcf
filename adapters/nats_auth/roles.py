"""What each role may publish and subscribe to, no more than it must, and the names in there.

What a host needs was measured with wasmCloud 1.9.2 (docs/real-hosts.md).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from adapters.nats.subjects import NatsConfigError, SecretsSubjects, own_inbox

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")

INBOX = "_INBOX.>"
JETSTREAM = "$JS.API"
PEOPLES_JETSTREAM = "JS.SECRETS.API"
"""The same API of the service's account in the account of people, which has one of its own under
the usual name; NATS_JETSTREAM_PREFIX of their commands."""


class NamesUnusableError(ValueError):
    """A name cannot stand in a subject; the text says which and what to write instead."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the service is called on NATS, and where it keeps things.

    Attributes:
        prefix: NATS_SUBJECT_PREFIX, the hosts' `--secrets-topic`.
        backend: BACKEND_NAME.
        bucket: NATS_KV_BUCKET.
        stream: AUDIT_STREAM; refusals are kept in a second one, named after it.
        lattices: the lattices whose hosts ask, each in an account of its own.

    Raises:
        NamesUnusableError: one of them cannot stand in a subject.
    """

    prefix: str = "wasmcloud.secrets"
    backend: str = "infisical"
    bucket: str = "WASMCLOUD_SECRETS"
    stream: str = "SECRETS_AUDIT"
    lattices: tuple[str, ...] = ("default",)

    def __post_init__(self) -> None:
        try:
            SecretsSubjects(prefix=self.prefix, backend=self.backend)
        except NatsConfigError as error:
            raise NamesUnusableError(str(error)) from None
        named = [("bucket", self.bucket), ("stream", self.stream)]
        named += [("lattice", lattice) for lattice in self.lattices]
        for what, name in named:
            if not _TOKEN.fullmatch(name):
                raise NamesUnusableError(
                    f'A {what}\'s name may hold letters, digits, "_" and "-", 64 at most.'
                )
        folded = [account_name(lattice) for lattice in self.lattices]
        if not folded or len({*folded}) != len(folded):
            raise NamesUnusableError("Give each lattice once, and at least one.")

    @property
    def subjects(self) -> SecretsSubjects:
        """The subjects that hosts ask on."""
        return SecretsSubjects(prefix=self.prefix, backend=self.backend)

    @property
    def asked(self) -> tuple[str, str]:
        """The two subjects that hosts publish to."""
        return (self.subjects.of("server_xkey"), self.subjects.of("get"))

    @property
    def audit_streams(self) -> tuple[str, str]:
        """The audit stream, and that of refusals."""
        return (self.stream, f"{self.stream}_REFUSED")

    def control(self, what: str) -> str:
        """Return the subject of one kind of order to the replicas."""
        return f"{self.prefix}.control.{self.backend}.{what}"

    @property
    def changed(self) -> str:
        """Where changes of secrets are announced."""
        return f"{self.prefix}.events.{self.backend}.changed"


def account_name(lattice: str) -> str:
    """Return the name of a lattice's account."""
    return f"LATTICE_{re.sub('[^A-Z0-9]', '_', lattice.upper())}"


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
