"""The plug-in: what the entry point in pyproject.toml names."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from typing_extensions import override

from http_transport.channel import HttpChannel
from http_transport.server import LOOPBACK
from http_transport.settings import HttpSettings
from http_transport.transport import HttpTransport
from wasmcloud_secrets.extension import Sample, TransportParts, TransportPlugin

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wasmcloud_secrets.extension import TransportContext


class HttpPlugin(TransportPlugin[HttpSettings]):
    """Registered as `http`."""

    name: ClassVar[str] = "http"
    title: ClassVar[str] = "HTTP"
    # The version this was written for: not API_VERSION, which is that of the service it runs in.
    api_version: ClassVar[int] = 1
    settings = HttpSettings

    @override
    def warnings(self, settings: HttpSettings) -> Sequence[str]:
        return ()

    @override
    def build(self, settings: HttpSettings, context: TransportContext) -> TransportParts:
        transport = HttpTransport(settings.port, context.clock, context.max_in_flight)
        address = f"http://{LOOPBACK}:{settings.port}"

        def samples() -> Iterable[Sample]:
            in_flight = len(transport.in_flight)
            yield Sample("requests_in_flight", "Requests being served now.", in_flight)

        return TransportParts(
            transport,
            HttpChannel(settings.port, context.clock),
            samples=samples,
            server=(LOOPBACK, settings.port),
            address_of=lambda operation: f"{address}/{operation}",
            system="http",
            announced={"address": address},
        )


PLUGIN: Final = HttpPlugin()
