"""The names that NATS permissions are made of."""

from __future__ import annotations

import re
from dataclasses import dataclass

from adapters.nats.subjects import NatsConfigError, SecretsSubjects

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")


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
