"""What the attacks send: complete NATS commands, sealed beforehand."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from benchmarks.sealed_requests import HostXKey, Requester

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from domain.model.identity import PublicXKey

SUBJECT = "wasmcloud.secrets.v1alpha1.infisical.get"
INBOX = "_INBOX.attack"

_SEALED = 32

Frames: TypeAlias = "Iterator[bytes]"


@dataclass(frozen=True, slots=True)
class Attack:
    """One way to ask for too much.

    Attributes:
        title: what is sent, for the table.
        rate: how many a second are sent at most.
        frames: gives the commands for a server's key, without end.
    """

    title: str
    rate: int
    frames: Callable[[PublicXKey], Frames]


def _sealed_again_and_again(make: Callable[[int], bytes]) -> Callable[[PublicXKey], Frames]:
    """Seal a few plain texts again and again, each time with another nonce."""

    def frames(server: PublicXKey) -> Frames:
        hosts = [HostXKey(server) for _ in range(_SEALED)]
        plain = [make(number) for number in range(_SEALED)]
        number = 0
        while True:
            host = hosts[number % _SEALED]
            message = host.message(plain[number % _SEALED])
            yield framed(number, message, host.head_bytes)
            number += 1

    return frames


def framed(number: int, message: bytes, head_bytes: int) -> bytes:
    """Write the command that publishes a message, which wants its reply at `INBOX.number`."""
    command = f"HPUB {SUBJECT} {INBOX}.{number} {head_bytes} {len(message)}\r\n"
    return b"".join((command.encode(), message, b"\r\n"))


def _small_objects(size: int) -> Callable[[int], bytes]:
    return lambda _: b"[" + b"{}," * (size // 3) + b"0]"


def _members(_: int) -> bytes:
    members = ",".join(f'"{number}":0' for number in range(1500))
    return f'{{"x":{{{members}}}}}'.encode()


def _dashes(_: int) -> bytes:
    """A well-formed request whose application is as long as fits."""
    return Requester().ask("KEY", application="-" * 12_000)


def _strangers(number: int) -> bytes:
    """A well-formed request with tokens of its own: every signature has to be checked."""
    return Requester().ask(f"KEY_{number}")


def _empty(_: PublicXKey) -> Frames:
    number = 0
    while True:
        yield f"PUB {SUBJECT} {INBOX}.{number} 0\r\n\r\n".encode()
        number += 1


def _headers(_: PublicXKey) -> Frames:
    block = b"NATS/1.0\r\n" + b"WasmCloud-Host-Xkey: x\r\n" * 15_000 + b"\r\n"
    number = 0
    while True:
        yield framed(number, block + b"x", len(block))
        number += 1


def _mixed(server: PublicXKey) -> Frames:
    draw = random.Random(11)  # noqa: S311  the same mix each time
    kinds = [attack.frames(server) for attack in ATTACKS if attack.frames is not _mixed]
    while True:
        yield next(draw.choice(kinds))


ATTACKS = (
    Attack("128 KiB of small JSON objects", 500, _sealed_again_and_again(_small_objects(131_000))),
    Attack("16 KiB of small JSON objects", 4000, _sealed_again_and_again(_small_objects(16_000))),
    Attack("16 KiB of members of one object", 4000, _sealed_again_and_again(_members)),
    Attack("an application of 12,000 dashes", 4000, _sealed_again_and_again(_dashes)),
    Attack("well-formed requests of strangers", 20_000, _sealed_again_and_again(_strangers)),
    Attack("requests without a body", 60_000, _empty),
    Attack("350 KiB of headers", 200, _headers),
    Attack("all of these, mixed at random", 4000, _mixed),
)
