"""The host's side of the protocol: ask for the server's xkey, then for secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.model.errors import DecryptionFailed, InvalidXKey
from domain.model.replies import MalformedReplyError, read_error, read_secret
from domain.model.transport import HOST_TIMEOUT_SECONDS, Operation

if TYPE_CHECKING:
    from domain.model.identity import PublicXKey
    from domain.model.messages import SecretRequest
    from domain.model.secret import Secret
    from ports.key_exchange import KeyExchange
    from ports.transport import Channel


class HostClient:
    """Asks as a wasmCloud host does; for the command line and tests.

    Errors of the protocol come as the same typed errors the server raised; a secret's value shows
    nothing until `reveal` is called.
    """

    def __init__(
        self,
        channel: Channel,
        key_exchange: KeyExchange,
        timeout_seconds: float = HOST_TIMEOUT_SECONDS,
    ) -> None:
        self._channel = channel
        self._key_exchange = key_exchange
        self._timeout = timeout_seconds
        self._server_xkey: PublicXKey | None = None

    async def server_xkey(self) -> PublicXKey:
        """Return the server's public xkey; asked for once and kept, as hosts do.

        Raises:
            ChannelError: no service answered.
            MalformedReplyError: the answer is no public xkey.
            SecretsError: the server refused.
        """
        if self._server_xkey is None:
            reply = await self._channel.request(Operation.SERVER_XKEY, b"", None, self._timeout)
            try:
                self._server_xkey = self._key_exchange.parse_public(reply.body.decode("ascii"))
            except (InvalidXKey, UnicodeDecodeError):
                raise read_error(reply.body) from None
        return self._server_xkey

    async def get(self, request: SecretRequest) -> Secret:
        """Send one sealed request and open its answer.

        Raises:
            SecretsError: the server's typed refusal.
            ChannelError: no service answered.
            MalformedReplyError: the answer is not of this protocol.
        """
        server = await self.server_xkey()
        one_time = self._key_exchange.generate()
        reply = await self._channel.request(
            Operation.GET, one_time.seal(request.to_json(), server), one_time.public, self._timeout
        )
        if reply.response_xkey is None:
            raise read_error(reply.body)
        try:
            sender = self._key_exchange.parse_public(reply.response_xkey)
            plaintext = one_time.open(reply.body, sender)
        except (InvalidXKey, DecryptionFailed):
            raise MalformedReplyError("the reply was not sealed for this request") from None
        return read_secret(plaintext)
