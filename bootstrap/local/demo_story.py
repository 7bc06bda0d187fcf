"""What happens in the demo, in order; every claim it prints is checked first."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.crypto.xkeys import SodiumKeyExchange
from adapters.nats.headers import HOST_XKEY, SERVER_RESPONSE_XKEY
from bootstrap.local.demo_host import shortened
from bootstrap.local.demo_stage import DemoFailedError, check
from bootstrap.version import __version__
from domain.model.errors import InvalidEntityJwt, OtherError, SecretsError, Unauthorized
from domain.model.transport import Operation

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from bootstrap.local.demo_host import Fetched
    from bootstrap.local.demo_stage import DemoReport, DemoStage
    from domain.model.messages import SecretRequest

_API_KEY, _KEYSTORE, _DATABASE = "API_KEY", "tls/keystore", "shop/DATABASE"


@dataclass(frozen=True, slots=True)
class DemoValues:
    """Made up on the spot, so they can be shown."""

    old_api_key: str = field(default_factory=lambda: f"old-{secrets.token_hex(5)}")
    api_key: str = field(default_factory=lambda: f"new-{secrets.token_hex(5)}")
    keystore: bytes = field(default_factory=lambda: b"\xfe\xed\xfe\xed" + os.urandom(4))
    password: str = field(default_factory=lambda: secrets.token_hex(4))

    @property
    def database(self) -> str:
        """A JSON secret with the password in it."""
        return json.dumps({"password": self.password})

    @property
    def confidential(self) -> tuple[bytes, ...]:
        """What only the component may see."""
        texts = (self.old_api_key, self.api_key, self.password)
        return (self.keystore, *(text.encode() for text in texts))


@dataclass(slots=True)
class DemoStory:
    """Tells the story once. `requests`: how many secrets were asked for so far."""

    stage: DemoStage
    report: DemoReport
    values: DemoValues = field(default_factory=DemoValues)
    requests: int = 0

    async def tell(self) -> None:
        """Tell it.

        Raises:
            DemoFailedError: something is not as the story says.
            SecretsError: a request was refused that should be answered, or with another error.
        """
        await self._started()
        versions = await self._stored()
        fetched = await self._fetched(versions)
        self._in_the_open(fetched)
        await self._refused(fetched)

    async def _started(self) -> None:
        stage = self.stage
        xkey = await stage.host.server_xkey()
        check(xkey == stage.server_pair.public, "the service announces another xkey than its own")
        self.report.heading("Started")
        self.report.facts(
            [
                ("nats-server", f"{stage.nats_version} with JetStream, process {stage.nats.pid}"),
                ("its address", stage.nats.url),
                ("service", f"{__version__} on NATS KV, process {stage.service.pid}"),
                ("its subjects", stage.subjects.every_operation),
                ("its xkey", xkey),
            ]
        )

    async def _stored(self) -> dict[str, str]:
        """Store the secrets, and return each key's first version."""
        values = self.values
        writes: list[tuple[str, str, str | bytes]] = [
            (_API_KEY, "string", values.old_api_key),
            (_KEYSTORE, "binary", values.keystore),
            (_DATABASE, "JSON", values.database),
            (_API_KEY, "string", values.api_key),
        ]
        versions: dict[str, str] = {}
        rows = []
        for key, kind, value in writes:
            version = await self.stage.writer.put(key, value)
            versions.setdefault(key, version)
            at_rest = await self.stage.at_rest(version)
            self._check_sealed(at_rest, "what lies in the bucket")
            rows.append((key, kind, shown(value), f"xkv1 {at_rest[4:7].hex(' ')} ..", version))
        self.report.heading("Stored, all values made up just now")
        self.report.table(("key", "kind", "value", "at rest, sealed", "version"), rows, 1)
        return versions

    async def _fetched(self, versions: dict[str, str]) -> Fetched:
        """Fetch the secrets as a host, and return the last one."""
        values, wish = self.values, self.stage.component.wish
        old = versions[_API_KEY]
        asked: list[tuple[str, SecretRequest, str | bytes]] = [
            (_API_KEY, wish(_API_KEY), values.api_key),
            (f"{_API_KEY}, version {old}", wish(_API_KEY, version=old), values.old_api_key),
            (_KEYSTORE, wish(_KEYSTORE), values.keystore),
            (f"{_DATABASE}, field password", wish(_DATABASE, field="password"), values.password),
        ]
        rows = []
        for what, request, expected in asked:
            self.requests += 1
            fetched = await self.stage.host.fetch(request)
            value = fetched.secret.value.reveal()
            check(value == expected, f"{what}: the value is not the one stored")
            check(
                request.version in {None, fetched.secret.version},
                f"{what}: version {fetched.secret.version} came instead",
            )
            self._check_sealed(fetched.exchange.sealed_request, "a request")
            self._check_sealed(fetched.exchange.reply.body, "a reply")
            milliseconds = f"{fetched.seconds * 1000:.1f}"
            rows.append((what, shown(value), fetched.secret.version, milliseconds))
        self.report.heading("Asked for, as a wasmCloud host does for a component")
        self.report.table(("asked for", "opened answer", "version", "ms"), rows, 2)
        return fetched

    def _in_the_open(self, fetched: Fetched) -> None:
        """Show one exchange as it crossed the wire, and what both ends made of it."""
        exchange, reply = fetched.exchange, fetched.exchange.reply
        host_xkey = SodiumKeyExchange().parse_public(exchange.host_xkey)
        request = self.stage.server_pair.open(exchange.sealed_request, host_xkey)
        check(request == fetched.request.to_json(), "the service opens another request")
        self.report.heading("The last of them in the open")
        self.report.facts(
            [
                ("subject", self.stage.subjects.of(Operation.GET)),
                (HOST_XKEY, host_xkey),
                (SERVER_RESPONSE_XKEY, reply.response_xkey or ""),
            ]
        )
        self.report.side_by_side(
            [
                ("request", exchange.sealed_request, shortened(request)),
                ("reply", reply.body, shortened(fetched.opened)),
            ]
        )

    async def _refused(self, fetched: Fetched) -> None:
        """Try what must not work."""
        host, component = self.stage.host, self.stage.component
        stranger = component.wish(_API_KEY, token=component.token_of_a_stranger())
        forged = component.wish(_API_KEY, token=component.forged_token())
        rows = [
            (what, await self._refusal(what, attempt, kind))
            for what, attempt, kind in (
                ("token of an untrusted account", host.fetch(stranger), Unauthorized),
                ("token with one byte changed", host.fetch(forged), InvalidEntityJwt),
                ("recorded request, replayed", host.repeat(fetched.exchange), OtherError),
            )
        ]
        self.report.heading("Refused, each with its typed error")
        self.report.table(("tried", "answer on the wire"), rows)

    async def _refusal(
        self, what: str, attempt: Awaitable[object], kind: type[SecretsError]
    ) -> str:
        self.requests += 1
        try:
            await attempt
        except kind:
            reply = self.stage.host.last_reply
            check(reply.response_xkey is None, f"the {what} got an error beside a response xkey")
            return reply.body.decode()
        except SecretsError as error:
            happened = f"got another refusal: {error.advice}"
        else:
            happened = "was answered"
        raise DemoFailedError(f"the {what} {happened}")

    def _check_sealed(self, sealed: bytes, what: str) -> None:
        check(sealed.startswith(b"xkv1"), f"{what} is not sealed")
        check(
            not any(secret in sealed for secret in self.values.confidential),
            f"{what} shows a value",
        )


def shown(value: str | bytes) -> str:
    """Return a value as people read it: text as it is, bytes in hex."""
    return value if isinstance(value, str) else value.hex(" ")
