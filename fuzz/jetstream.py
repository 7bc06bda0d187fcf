"""Damaged answers of JetStream: each read gets the value, nothing, or one typed failure."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from nats.aio.msg import Msg
from typing_extensions import override

from adapters.audit.file_reader import AuditReadError
from adapters.audit.publish_acks import PublishAcks
from adapters.audit.stream_reader import read_stream
from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.nats.client import ResilientClient
from adapters.nats_kv.settings import NatsKvSettings
from adapters.nats_kv.store import NatsKvSecretStore
from adapters.nats_kv.value_cipher import ValueCipher
from adapters.system.clock import SystemClock
from adapters.telemetry.log_setup import configure_logging
from domain.model.errors import SecretsError
from domain.model.reference import SecretLocation, SecretQuery
from domain.model.workload import Workload
from fuzz.choices import Choices
from fuzz.session import hold
from fuzz.spoiling import spoil_file

_VALUE: Final = "value"
_STREAM: Final = "KV_WASMCLOUD_SECRETS"
_SUBJECT: Final = "$KV.WASMCLOUD_SECRETS.KEY"
_TIME: Final = "2026-11-22T10:00:00.123456789Z"
_PIECES: Final = (
    *("{", "}", "[", "]", ",", ":", '"', "\\", "\\ud800", "null", "true", "-1", "1e999", "0"),
    *('"error":{}', '"error":null', '"error":[]', '"err_code":"x"', '"seq":true', '"seq":'),
    *("9" * 5000, "[" * 5000),
    *("stream", "message", "hdrs", "data", "time", "subject", "allow_direct", "config", "state"),
    *("\x00", "\u2028", "=", "404", "503", "+OK", "2026-13-45T99:99:99Z"),
)  # fmt: skip
_ODD: Final[tuple[Any, ...]] = (
    *(None, True, 0, -1, 2**64, 10**400, 1.5, "", "x", "=", [], {}, [{}], {"seq": "x"}),
)
_NOT_FOUND: Final = b'{"error":{"code":404,"err_code":10037,"description":"no message found"}}'
_ACK: Final = json.dumps({"stream": "SECRETS_AUDIT", "domain": "", "seq": 7})


class _DamagedServer(ResilientClient):
    """Answers the next requests with what it was given, and then that there is no message.

    Attributes:
        answers: body and headers of each.
    """

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[tuple[bytes, dict[str, str] | None]] = []

    @override
    async def request(self, subject: str, *_: Any, **__: Any) -> Msg:
        body, headers = self.answers.pop(0) if self.answers else (_NOT_FOUND, None)
        return Msg(self, subject, data=body, headers=headers)


@dataclass
class JetStreamSession:
    """One read of a secret, of the audit stream or of an acknowledgement after the other.

    Attributes:
        sent: how many there were.
        outcomes: how they ended.
    """

    sent: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        configure_logging("error", "json", io.StringIO())
        xkey = SodiumXKeyPair.generate()
        self._sealed = ValueCipher(xkey).seal(_VALUE)
        self._clock = SystemClock()
        self._xkey = xkey
        self._config = NatsKvSettings.model_validate({"encryption_xkey_seed": xkey.seed_text()})
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        """Close the event loop."""
        self._loop.close()

    def attack(self, data: bytes) -> None:
        """Read the one set of answers these bytes stand for.

        Raises:
            Exception: a promise was broken.
        """
        self.sent += 1
        choices = Choices(data)
        match choices.below(3):
            case 0:
                self._acknowledgement(choices)
            case 1:
                self._loop.run_until_complete(self._secret(choices))
            case _:
                self._loop.run_until_complete(self._trail(choices))

    def _acknowledgement(self, choices: Choices) -> None:
        acks = PublishAcks(1, "SECRETS_AUDIT")
        body = spoil_file(_ACK, _PIECES, choices)
        acks.answer(0, body)
        hold((acks.leading == 1) == (acks.reason is None), "kept or refused, and never both")
        if acks.leading:
            answer = json.loads(body)
            hold("error" not in answer, "an answer with an error acknowledges nothing")
            hold(answer["stream"] == "SECRETS_AUDIT", "only its own stream keeps an event")
            hold(type(answer["seq"]) is int and answer["seq"] > 0, "what is kept has a number")
        self.outcomes[f"acknowledgement: {acks.reason or 'kept'}"] += 1

    async def _secret(self, choices: Choices) -> None:
        client = _DamagedServer()
        is_direct = choices.below(2) == 1
        info = {"config": {"name": _STREAM, "allow_direct": is_direct}, "state": _state()}
        client.answers.append((self._spoiled_json(info, choices), None))
        for _ in range(2):
            client.answers.append(self._direct(choices) if is_direct else self._stored(choices))
        store = NatsKvSecretStore(
            client=client, config=self._config, encryption_xkey=self._xkey, clock=self._clock
        )
        version = "7" if choices.below(2) else None
        caller, deadline = Workload("prod", "shop", "cart"), self._clock.monotonic() + 5
        query = SecretQuery(SecretLocation("/KEY"), version, caller, deadline)
        try:
            secret = await store.fetch(query)
        except SecretsError as error:
            hold(error.advice.isprintable(), "advice can be shown")
            self.outcomes[f"secret: {error.reason}"] += 1
            return
        hold(secret.value.reveal() == _VALUE, "a value is the one that was stored")
        self.outcomes["secret: read"] += 1

    async def _trail(self, choices: Choices) -> None:
        client = _DamagedServer()
        client.answers.append(
            (self._spoiled_json({"config": {}, "state": _state()}, choices), None)
        )
        client.answers.extend(self._stored(choices) for _ in range(3))
        try:
            lines = [
                line
                async for line in read_stream(
                    client, "SECRETS_AUDIT", self._clock, since=0, follow=False
                )
            ]
        except AuditReadError as error:
            hold(str(error).isprintable(), "advice can be shown")
            self.outcomes["trail: refused"] += 1
        else:
            hold(all(isinstance(line, bytes) for line in lines), "an event is a line")
            self.outcomes["trail: read"] += 1

    def _spoiled_json(self, document: dict[str, Any], choices: Choices) -> bytes:
        """Damage the text, have one member hold something else, or leave it as it is."""
        match choices.below(4):
            case 0:
                return spoil_file(json.dumps(document), _PIECES, choices)
            case 1:
                holder = document
                while isinstance(inner := holder[name := choices.of(sorted(holder))], dict):
                    if not inner:
                        break
                    holder = inner
                holder[name] = choices.of(_ODD)
            case _:
                pass
        return json.dumps(document).encode()

    def _stored(self, choices: Choices) -> tuple[bytes, None]:
        message = {
            "subject": _SUBJECT,
            "seq": 7,
            "hdrs": base64.b64encode(b"NATS/1.0\r\nX: y\r\n\r\n").decode(),
            "data": base64.b64encode(self._sealed).decode(),
            "time": _TIME,
        }
        return self._spoiled_json({"type": "x", "message": message}, choices), None

    def _direct(self, choices: Choices) -> tuple[bytes, dict[str, str] | None]:
        headers = {
            "Nats-Stream": _STREAM,
            "Nats-Subject": _SUBJECT,
            "Nats-Sequence": "7",
            "Nats-Time-Stamp": _TIME,
        }
        match choices.below(6):
            case 0:
                return b"", {"Status": choices.of(("404", "503", "408", "x", ""))}
            case 1:
                return self._sealed, None
            case 2:
                headers.pop(choices.of(sorted(headers)))
            case 3:
                name = choices.of(sorted(headers))
                headers[name] = spoil_file(headers[name], _PIECES, choices).decode(
                    "utf-8", "replace"
                )
            case 4:
                return self._sealed[: choices.below(len(self._sealed))], headers
            case _:
                pass
        return self._sealed, headers


def _state() -> dict[str, Any]:
    return {"messages": 9, "bytes": 9, "first_seq": 1, "last_seq": 3, "consumer_count": 0}
