"""An OCI registry on loopback that serves WebAssembly components, as far as a host asks."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.wasm.config.v0+json"
_LAYER = "application/wasm"


class WasmRegistry:
    """Serves components by plain HTTP while it is entered.

    Args:
        components: the component's bytes by repository name.
    """

    def __init__(self, components: Mapping[str, bytes]) -> None:
        self._answers: dict[str, tuple[str, bytes]] = {}
        for name, component in components.items():
            self._add(name, component)
        answers = self._answers

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(with_body=True)

            def do_HEAD(self) -> None:
                self._answer(with_body=False)

            @override
            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing of each request."""

            def _answer(self, *, with_body: bool) -> None:
                kind, body = answers.get(self.path, ("", b""))
                self.send_response(200 if kind else 404)
                self.send_header("Content-Type", kind or "text/plain")
                self.send_header("Content-Length", str(len(body)))
                if kind == MANIFEST:
                    self.send_header("Docker-Content-Digest", _digest(body))
                self.end_headers()
                if with_body:
                    self.wfile.write(body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def image(self, name: str) -> str:
        """Return the reference under which a host pulls a component."""
        return f"127.0.0.1:{self._server.server_port}/{name}:1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _add(self, name: str, component: bytes) -> None:
        config = json.dumps({"architecture": "wasm", "os": "wasip2", "layerDigests": []}).encode()
        blobs = ((_CONFIG, config), (_LAYER, component))
        described = [
            {"mediaType": kind, "digest": _digest(blob), "size": len(blob)} for kind, blob in blobs
        ]
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": described[0],
                "layers": described[1:],
            }
        ).encode()
        for reference in ("1", _digest(manifest)):
            self._answers[f"/v2/{name}/manifests/{reference}"] = (MANIFEST, manifest)
        for kind, blob in blobs:
            self._answers[f"/v2/{name}/blobs/{_digest(blob)}"] = (kind, blob)
        self._answers["/v2/"] = ("application/json", b"{}")


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
