"""A local HTTP server that speaks as Infisical does: a model, recordings, or broken on purpose."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tests.support.http_server import Break as Break  # noqa: PLC0414  for its tests
from tests.support.http_server import HttpServer, broken, write
from tests.support.infisical_generations import LATE_2026
from tests.support.infisical_model import Call, InfisicalModel, Result

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    from tests.support.infisical_generations import Generation

    Wire = Callable[[Call, asyncio.StreamWriter], Awaitable[bool | None]]

RECORDINGS = Path(__file__).resolve().parents[1] / "recordings" / "infisical"


def recording(name: str) -> dict[str, Any]:
    """Return a recorded exchange with a real server."""
    document: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text("utf-8"))
    return document


def recorded_result(name: str) -> Result:
    """Return a recorded answer, ready to send; only hop-by-hop headers are left out."""
    response = recording(name)["response"]
    headers = {k: v for k, v in response["headers"].items() if k != "connection"}
    body = response["body"] or b""
    if isinstance(body, dict) and "accessToken" in body:
        # The recordings hold a placeholder, which no header could carry.
        body = {**body, "accessToken": "canary-recorded-token"}
    return Result(response["status"], body, headers)


class InfisicalServer(HttpServer):
    """Listens on a free port of this machine while its context is open.

    Attributes:
        answer: answers whatever no break is scheduled for; None leaves it to the model.
        model: the server's behaviour.
        breaks: what to do to the next secret reads instead, first come first served.
        login_breaks: the same for logins.
        login_seconds: how long each login takes.
        most_logins: how many were under way at a time, at most.
        wire: takes a read and writes whatever bytes it likes, to say whether the connection may be
            used again; None where the read is to be answered as ever.
    """

    def __init__(
        self,
        answer: Callable[[Call], Result] | None = None,
        tls: ssl.SSLContext | None = None,
        *,
        generation: Generation = LATE_2026,
    ) -> None:
        """Prepare the server; nothing listens yet.

        The generation is the latest where a test does not say otherwise: those that start the
        service as a process take seconds each, and what differs between generations is answered by
        the adapter alone, which suites without a process try against each.
        """
        super().__init__(tls)
        self.model = InfisicalModel(generation)
        self.breaks: list[str] = []
        self.login_breaks: list[str] = []
        self.answer = answer
        self.wire: Wire | None = None
        self.login_seconds = 0.0
        self.most_logins = self._logins = 0

    @override
    async def _respond(self, call: Call, writer: asyncio.StreamWriter) -> bool:
        if self.wire is not None and not call.path.endswith("/login"):
            usable = await self.wire(call, writer)
            if usable is not None:
                return usable
        is_login = call.path.endswith("/login")
        if is_login and self.login_seconds:
            self._logins += 1
            self.most_logins = max(self.most_logins, self._logins)
            await asyncio.sleep(self.login_seconds)
            self._logins -= 1
        schedule = self.login_breaks if is_login else self.breaks
        way = schedule.pop(0) if schedule else None
        if way is not None:
            self.model.calls.append(call)
        if await broken(way, writer):
            return False
        return await write((self.answer or self.model.answer)(call), writer, way)


class Replay:
    """Answers calls from recordings, each checked against the request that was recorded.

    The recorded server has no v4, and says so to every call for it.

    A call must have the recorded method and path, every recorded parameter but imports where a
    version is asked for, and a token exactly if the recording has one; anything else is answered
    418, which no adapter takes for good.

    Args:
        names: the recordings.
        own: a recording of a value that its folder has itself, for calls without imports as well.
    """

    def __init__(self, *names: str, own: str | None = None) -> None:
        self._recordings = [recording(name) for name in names]
        self._own = None if own is None else recording(own)
        self.calls: list[Call] = []

    def __call__(self, call: Call) -> Result:
        """Answer with the first recording that matches."""
        self.calls.append(call)
        if call.path.startswith("/api/v4/"):
            return recorded_result("unknown_route_v4_secrets")
        for recorded in self._recordings:
            if self._matches(call, recorded["request"]):
                return recorded_result(recorded["case"])
        if self._own is not None and call.query.get("include_imports") == "false":
            target = call.target.replace("include_imports=false", "include_imports=true")
            with_imports = replace(call, target=target)
            if self._matches(with_imports, self._own["request"]):
                return recorded_result(self._own["case"])
        return Result(418)

    def _matches(self, call: Call, request: dict[str, Any]) -> bool:
        if (call.method, _plain(call.path)) != (request["method"], _plain(request["path"])):
            return False
        if call.method == "POST":
            return "authorization" not in call.headers
        return call.headers.get("authorization", "").startswith("Bearer ") and all(
            call.query.get(name) == str(value)
            for name, value in request["query"].items()
            if not (name == "include_imports" and "version" in request["query"])
        )


def replay_any(name: str) -> Callable[[Call], Result]:
    """Answer every read with one recording, for requests that this adapter would never send."""

    def answer(call: Call) -> Result:
        if call.method == "POST":
            return recorded_result("login_ok")
        newer = call.path.startswith("/api/v4/")
        return recorded_result("unknown_route_v4_secrets" if newer else name)

    return answer


def _plain(path: str) -> str:
    """Undo the one difference in spelling between the recording client and this adapter."""
    return path.replace("%2E", ".")
