"""A TLS server that demands a client certificate which no client has."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from tests.support.local_server import LocalServer

if TYPE_CHECKING:
    import asyncio

TLS = Path(__file__).resolve().parents[1] / "integration" / "nats" / "tls"


class CertificateDemandingServer(LocalServer):
    """Ends each handshake with an alert; asyncio's own TLS would close without a word.

    Args:
        version: of TLS. From 1.3 on the client has finished its handshake by then.
    """

    def __init__(self, version: ssl.TLSVersion) -> None:
        super().__init__()
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(TLS / "server.pem", TLS / "server-key.pem")
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.maximum_version = version

    @override
    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        side = self._context.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                writer.write(outgoing.read())
                incoming.write(await reader.read(65536))
            except ssl.SSLError:
                break
        writer.write(outgoing.read())
        await writer.drain()
