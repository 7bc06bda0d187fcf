#!/usr/bin/env bash
# infisicalsdk 1.0.18 (Python), against a local HTTP server that answers `version` as a server does.
# The client's cache is on unless it is turned off. A program reads version 1 of a secret, and then the
# latest.
# Expected: two values.
# Seen: the cache's key has project, environment, folder and name, but not the version, so the second
# read returns version 1 again (and a read of the latest would answer for a pinned version).
# In the product: the cache's key holds the version, and a test asks for several in turns.
. "$(dirname "$0")/common.sh"
install infisicalsdk==1.0.18
seen=$(run_python <<'PYTHON'
import json, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit
from infisical_sdk import InfisicalSDKClient

class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        version = parse_qs(urlsplit(self.path).query).get("version", ["2"])[0]
        body = json.dumps({"secret": {
            "id": "i", "_id": "i", "workspace": "p", "environment": "prod", "version": int(version),
            "type": "shared", "secretKey": "TOKEN", "secretValue": f"value-{version}",
            "secretComment": "", "createdAt": "2026-01-01T00:00:00Z",
            "updatedAt": "2026-01-01T00:00:00Z", "secretMetadata": [], "secretValueHidden": False,
            "secretPath": "/", "tags": []}}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass

server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = InfisicalSDKClient(host=f"http://127.0.0.1:{server.server_port}", token="made-up")
where = {"secret_name": "TOKEN", "project_id": "p", "environment_slug": "prod", "secret_path": "/"}
pinned = client.secrets.get_secret_by_name(**where, version="1")
latest = client.secrets.get_secret_by_name(**where)
print(f"{pinned.secretValue}, then {latest.secretValue}")
server.shutdown()
PYTHON
)
verdict "value-1, then value-2" "value-1, then value-1" "$seen"
