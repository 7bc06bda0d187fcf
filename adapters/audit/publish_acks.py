"""The acknowledgements of one batch of JetStream messages, as they come in."""

from __future__ import annotations

import asyncio
import json


class PublishAcks:
    """Collects one answer for each message of a batch. `stream`: the stream that must have kept
    them.

    Attributes:
        settled: set once all are acknowledged, or one is refused.
        reason: why one was refused, as a constant snake_case code.
    """

    def __init__(self, count: int, stream: str) -> None:
        self._stream = stream
        self._acknowledged = [False] * count
        self._missing = count
        self.settled = asyncio.Event()
        self.reason: str | None = None

    def acknowledge(self, number: int) -> None:
        """Note that a message needs no more waiting for."""
        if 0 <= number < len(self._acknowledged) and not self._acknowledged[number]:
            self._acknowledged[number] = True
            self._missing -= 1
            if not self._missing:
                self.settled.set()

    def answer(self, number: int, body: bytes) -> None:
        """Read a message's answer (ADR-1 and the JetStream API's `io.nats.jetstream.api`).

        An empty body is the server's "no responders": no stream takes the subject. An
        acknowledgement names the stream and a number, and has no `error`, whatever its type: the
        service's own refusals are JSON as well.
        """
        try:
            answer = json.loads(body) if body else {"error": {}}
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            self._refuse("answer_unreadable")
        elif not body:
            self._refuse("stream_missing")
        elif isinstance(error := answer.get("error"), dict):
            code = error.get("err_code")
            self._refuse(f"refused_{code}" if isinstance(code, int) else "refused")
        elif "error" not in answer and self._is_kept(answer):
            self.acknowledge(number)
        else:
            self._refuse("answer_unreadable")

    def _is_kept(self, answer: dict[str, object]) -> bool:
        number = answer.get("seq")
        return answer.get("stream") == self._stream and type(number) is int and number > 0

    @property
    def leading(self) -> int:
        """How many of the first messages are acknowledged, without a gap."""
        if not self._missing:
            return len(self._acknowledged)
        return self._acknowledged.index(False)

    def _refuse(self, reason: str) -> None:
        self.reason = self.reason or reason
        self.settled.set()
