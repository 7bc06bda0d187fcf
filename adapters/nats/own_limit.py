"""A client that publishes nothing longer than its login may."""

from __future__ import annotations

from typing import Final

from adapters.nats.payload_limit import leaves_limit_unsaid, payload_limit_of
from adapters.nats.server_pool import ServerPoolClient

SMALLEST_REQUEST_BYTES: Final = 1024
"""No request is shorter: it holds two signed tokens, sealed, and a header with a key."""

USUAL_REQUEST_BYTES: Final = 2048


class OwnLimitClient(ServerPoolClient):
    """Keeps `max_payload` at the least of what the server, the user's JWT and a measurement say."""

    def __init__(self) -> None:
        super().__init__()
        self._own_limit: int | None = None
        self._is_limit_doubtful = False

    @property
    def must_measure_limit(self) -> bool:
        """Whether this login may have a payload limit of its own that neither the server nor the
        user's JWT has named.
        """
        jwt = self._user_jwt_cb
        return self._is_limit_doubtful or (jwt is not None and leaves_limit_unsaid(bytes(jwt())))

    @property
    def servers_max_payload(self) -> int:
        """The server's own limit."""
        return int(self._server_info.get("max_payload", self._max_payload))

    def set_own_limit(self, limit: int) -> None:
        """Publish nothing longer than this login was found to be allowed."""
        self._is_limit_doubtful = False
        self._own_limit = limit if limit < self.servers_max_payload else None
        self._limit_payload()

    def _doubt_limit(self) -> None:
        """Note that the server has ended the connection over the length of a message."""
        self._is_limit_doubtful = True
        if self._largest:
            self._own_limit = self._largest - 1

    def _limit_payload(self) -> None:
        limits = [self.servers_max_payload, self._own_limit]
        if self._user_jwt_cb is not None:
            limits.append(payload_limit_of(bytes(self._user_jwt_cb())))
        self._max_payload = min(limit for limit in limits if limit is not None)
        self._largest = 0
