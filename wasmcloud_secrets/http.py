"""What a plug-in for a store behind HTTP imports beside `wasmcloud_secrets.extension`.

A module of its own: it loads the HTTP library, which other plug-ins do without.
"""

from adapters.upstream.config import UpstreamConfig
from adapters.upstream.http import UpstreamHttp
from adapters.upstream.message import UpstreamResponse
from adapters.upstream.opening import open_http
from adapters.upstream.statistics import Lane

__all__ = ["Lane", "UpstreamConfig", "UpstreamHttp", "UpstreamResponse", "open_http"]
