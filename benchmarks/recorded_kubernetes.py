"""A Kubernetes API server that answers as recorded, after a while."""

from __future__ import annotations

import json
from typing import Final, final

from typing_extensions import override

from benchmarks.recorded_http import RecordedHttp, encoded
from tests.support.kubernetes_server import recorded_result, recording

READ: Final = "get_ok_plain"
ABSENT: Final = "get_not_found"
REVIEW: Final = "can_i_get"

_SECRETS: Final = b"/secrets/"


@final
class RecordedKubernetes(RecordedHttp):
    """Has every Secret that is asked for, but the one that a check hopes not to find."""

    def __init__(self, latency: float) -> None:
        super().__init__(latency)
        self._body = json.dumps(recording(READ)["response"]["body"], separators=(",", ":")).encode()
        self._name = json.dumps(recording(READ)["response"]["body"]["metadata"]["name"]).encode()
        self._headers = dict(recorded_result(READ).headers)
        self._missing, self._review = map(_response, (ABSENT, REVIEW))

    @override
    def response(self, head: bytes) -> bytes:
        if head.startswith(b"POST "):
            return self._review
        name = head.partition(_SECRETS)[2].partition(b" ")[0]
        if name.startswith(b"wasmcloud-secrets-probe"):
            return self._missing
        own = b'"name":"' + name + b'"'
        body = self._body.replace(b'"name":' + self._name, own, 1)
        return encoded(200, self._headers, body)


def _response(name: str) -> bytes:
    result = recorded_result(name)
    headers, body = result.encoded()
    return encoded(result.status, headers, body)
