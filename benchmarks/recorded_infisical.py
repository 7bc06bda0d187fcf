"""An Infisical that answers as recorded, after a while, and sets no limit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, final

from typing_extensions import override

from benchmarks.recorded_http import RecordedHttp, encoded
from benchmarks.stage import secret_value
from tests.support.infisical_server import recorded_result

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

READ: Final = "get_ok_plain"
LOGIN: Final = "login_ok"
ABSENT: Final = "get_not_found"


@final
class RecordedInfisical(RecordedHttp):
    """Has every secret that `secret_name` names."""

    def __init__(self, latency: float, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(latency, tls)
        read = recorded_result(READ)
        self._headers = _limitless(read.headers)
        secret = read.body["secret"]
        body = json.dumps(read.body).encode()
        self._body = body.replace(json.dumps(secret["secretValue"]).encode(), b'"%(value)s"')
        self._body = self._body.replace(json.dumps(secret["secretKey"]).encode(), b'"%(name)s"')
        self._login, self._absent = map(_response, (LOGIN, ABSENT))

    @override
    def response(self, head: bytes) -> bytes:
        if head.startswith(b"POST "):
            return self._login
        path = head.split(b" ", 2)[1].partition(b"?")[0]
        name = path.rpartition(b"/")[2]
        if not name.startswith(b"SECRET_"):
            return self._absent
        value = secret_value(name.decode()).encode()
        return encoded(200, self._headers, self._body % {b"value": value, b"name": name})


def _response(name: str) -> bytes:
    result = recorded_result(name)
    headers, body = result.encoded()
    return encoded(result.status, _limitless(headers), body)


def _limitless(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in headers.items() if not name.startswith("x-ratelimit-")}
