"""How a wasmCloud host fetches the secrets of one start, and the words it fails with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.crypto.xkeys import SodiumKeyExchange
from adapters.nats.channel import NatsChannel
from adapters.nats.subjects import SecretsSubjects
from domain.model.errors import RequestError
from domain.model.host_text import FETCH_FAILED, host_text
from domain.model.messages import Application, RequestContext, SecretRequest
from domain.model.transport import HOST_TIMEOUT_SECONDS
from domain.use_cases.ask_for_secret import HostClient
from ports.transport import ChannelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nats.aio.client import Client

_TRANSPORT_TEXTS = {
    "no_responders": "no responders: no responders",
    "timeout": "request timed out: deadline has elapsed",
}


class SecretsUnavailableError(Exception):
    """The start fails; the text is what the host's event says."""


class HostSecrets:
    """Fetches over the control connection; each backend's xkey is fetched once and kept."""

    def __init__(self, ctl: Client, host_token: str, topic: str) -> None:
        self._ctl, self._token, self._topic = ctl, host_token, topic
        self._clients: dict[str, HostClient] = {}

    async def fetch(
        self,
        entity_token: str | None,
        application: str | None,
        references: Sequence[dict[str, str]],
    ) -> dict[str, str | bytes]:
        """Return the values by name, fetched one after the other.

        Raises:
            SecretsUnavailableError: one failed; those after it were not asked for.
        """
        if references and entity_token is None:
            raise SecretsUnavailableError(
                f"{FETCH_FAILED}entity did not have an embedded JWT, required to fetch secrets"
            )
        values: dict[str, str | bytes] = {}
        for reference in references:
            try:
                values[reference["name"]] = await self._ask(entity_token, application, reference)
            except RequestError as error:
                text = host_text(error.wire_name, error.advice)
            except ChannelError as error:
                text = f"failed to send secret request: {_TRANSPORT_TEXTS[error.reason]}"
            else:
                continue
            raise SecretsUnavailableError(FETCH_FAILED + text)
        return values

    async def _ask(
        self, entity_token: str | None, application: str | None, reference: dict[str, str]
    ) -> str | bytes:
        context = RequestContext(
            entity_jwt=entity_token or "",
            host_jwt=self._token,
            application=Application(name=application, policy=reference["policy"]),
        )
        client = await self._client(reference["backend"])
        secret = await client.get(
            SecretRequest(
                key=reference["key"],
                field=reference.get("field"),
                version=reference.get("version"),
                context=context,
            )
        )
        return secret.value.reveal()

    async def _client(self, backend: str) -> HostClient:
        client = self._clients.get(backend)
        if client is None:
            channel = NatsChannel(self._ctl, SecretsSubjects(self._topic, backend=backend))
            client = HostClient(channel, SodiumKeyExchange(), HOST_TIMEOUT_SECONDS)
            try:
                await client.server_xkey()
            except ChannelError as error:
                said = _TRANSPORT_TEXTS[error.reason]
                raise SecretsUnavailableError(
                    f"{FETCH_FAILED}failed to create secrets client: "
                    f"failed to fetch server xkey: {said}"
                ) from None
            self._clients[backend] = client
        return client
