"""Which bucket, and how to make it when there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass

DEFAULT_BUCKET = "WASMCLOUD_SECRETS"
"""The bucket that wasmCloud's own secrets-nats-kv uses."""

MAX_HISTORY = 64
"""The most revisions of a key that a NATS KV bucket can keep (ADR-8)."""

MAX_REPLICAS = 5
"""The most servers that can hold one JetStream stream."""

_BUCKET = re.compile(r"[a-zA-Z0-9_-]+")


@dataclass(frozen=True, slots=True)
class NatsKvConfig:
    """The bucket's name, and its shape should it have to be made; an existing one stays as it is.

    Attributes:
        history: revisions kept of each key, 1 to 64.
        replicas: servers that each hold the bucket, 1 to 5; a single server can only do 1.
        create_bucket: make the bucket when there is none.
        direct: read from any server that holds the bucket, where it allows that. Such an answer is
            the message as it was stored, sent wherever the request asks for: a person who stores
            secrets could have their messages published anywhere in the account.
        operation_seconds: how long a check or a command may take. Requests bring their deadline.

    Raises:
        ValueError: a value is outside its range.
    """

    bucket: str = DEFAULT_BUCKET
    history: int = MAX_HISTORY
    replicas: int = 1
    create_bucket: bool = True
    direct: bool = True
    operation_seconds: float = 10.0

    def __post_init__(self) -> None:
        if not _BUCKET.fullmatch(self.bucket):
            raise ValueError('The bucket\'s name may hold only letters, digits, "_" and "-".')
        if not 1 <= self.history <= MAX_HISTORY:
            raise ValueError(f"The bucket's history must be 1 to {MAX_HISTORY}.")
        if not 1 <= self.replicas <= MAX_REPLICAS:
            raise ValueError(f"The bucket's replicas must be 1 to {MAX_REPLICAS}.")
        if not self.operation_seconds > 0:
            raise ValueError("The time for an operation must be more than 0 seconds.")
