"""The adapter over a modelled API server, with time in the test's hand and no socket."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from adapters.kubernetes.api import KubernetesApi, is_api_answer
from adapters.kubernetes.bounds import Bounds
from adapters.kubernetes.change_notices import ChangeNotices
from adapters.kubernetes.check import KubernetesCheck
from adapters.kubernetes.credentials import FixedToken
from adapters.kubernetes.reader import SecretReader
from adapters.kubernetes.store import KubernetesSecretStore
from adapters.kubernetes.watches import SecretWatches
from adapters.upstream.config import UpstreamConfig
from adapters.upstream.engine import Failure, TransportError
from adapters.upstream.http import UpstreamHttp
from adapters.upstream.message import UpstreamResponse
from domain.model.reference import SecretQuery, SecretReference
from tests.contracts.secret_store import CALLER
from tests.fakes.clock import FakeClock
from tests.fakes.http_engine import FakeHttpEngine
from tests.fakes.peer_bus import FakePeerBus
from tests.support.infisical_model import Call
from tests.support.kubernetes_model import TOKEN, KubernetesModel
from tests.support.settling import settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.kubernetes.credentials import TokenSource
    from adapters.upstream.message import UpstreamRequest
    from domain.model.secret import Secret
    from domain.model.selection import Selection


CONFIG = UpstreamConfig(
    name="Kubernetes",
    code="kubernetes",
    base_url="https://api.test",
    url_setting="KUBERNETES_API_URL",
    ca_setting="KUBERNETES_CA_FILE",
    use_proxies=False,
)


class KubernetesRig:
    """Everything a test of the adapter touches.

    Attributes:
        failures: what the next calls come to instead.
        gate: calls wait here while it is cleared.
        told: selections that every replica was asked to forget.
    """

    def __init__(
        self,
        bounds: Bounds | None = None,
        *,
        may_be_stale: bool = False,
        tokens: TokenSource | None = None,
        watches: bool = False,
        read_certificates: Callable[..., None] = lambda **_: None,
    ) -> None:
        self.model = KubernetesModel()
        self.clock = FakeClock()
        self.failures: list[UpstreamResponse | TransportError] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.engine = FakeHttpEngine(self._answer)
        self.told: list[Selection] = []
        self.bounds = bounds or Bounds.of("shop", ("pay",))
        http = UpstreamHttp(
            CONFIG, self.clock, lambda: 0.0, is_api_answer=is_api_answer, engine=self.engine
        )
        streams = _NoStreams()
        self.api = KubernetesApi(
            http,
            streams,  # type: ignore[arg-type]
            tokens or FixedToken(SecretStr(TOKEN)),
            self.clock,
            read_certificates,
        )
        self.reader = SecretReader(self.api, self.clock, may_be_stale=may_be_stale)
        notices = ChangeNotices(self.told.append, FakePeerBus(), self.clock, lambda: 0.0)
        targets = self.bounds.targets() if watches else ()
        self.watches = SecretWatches(self.api, targets, notices, self.clock, lambda: 0.0)
        self.store = KubernetesSecretStore(
            self.bounds, self.reader, self.watches, lambda _: nullcontext
        )
        self.check = KubernetesCheck(
            self.api, self.bounds, self.clock, url=CONFIG.base_url, watches=watches
        )

    async def _answer(self, request: UpstreamRequest) -> UpstreamResponse | TransportError:
        await self.gate.wait()
        if self.failures:
            return self.failures.pop(0)
        parts = urlsplit(request.url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        headers = {name.lower(): text for name, text in request.headers.items()}
        result = self.model.answer(Call(request.method, target, headers, request.body or b""))
        named, body = result.encoded()
        return UpstreamResponse(result.status, named, body)

    def query(
        self, key: str, field: str | None = None, version: str | None = None, **properties: str
    ) -> SecretQuery:
        location = self.store.locate(SecretReference(key, properties, field))
        return SecretQuery(location, version, CALLER, self.clock.monotonic() + 8.0)

    async def get(
        self, key: str, field: str | None = None, version: str | None = None, **properties: str
    ) -> Secret:
        """Fetch as the core does."""
        return await self.store.fetch(self.query(key, field, version, **properties))

    @property
    def targets(self) -> list[str]:
        """The targets of all calls, in order."""
        return [call.target for call in self.model.calls]

    async def settle(self) -> None:
        """Let everything run that can without time passing."""
        await settle()


class _NoStreams:
    """Opens nothing: watches have tests of their own."""

    @asynccontextmanager
    async def open(self, *_: object, **__: object):  # type: ignore[no-untyped-def]  # noqa: ANN202
        raise AssertionError("no watch is opened here")
        yield

    async def aclose(self) -> None:
        return


PLAIN = "/api/v1/namespaces/shop/secrets/plain"


def cut() -> TransportError:
    return TransportError(Failure.UNREACHABLE, "RemoteProtocolError", reused=True)


def rig_with_a_secret() -> KubernetesRig:
    """Return one whose namespace `shop` holds the secret `plain`."""
    made = KubernetesRig()
    made.model.put("shop", "plain", {"password": "hello", "binary": b"\xff\x00"})
    return made
