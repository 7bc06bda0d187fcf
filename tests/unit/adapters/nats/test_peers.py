"""What a message says of its sender before it is opened."""

from __future__ import annotations

import pytest

from adapters.nats.peers import peer_of


@pytest.mark.parametrize("end", [b'"}\r\n\r\n', b""])
def test_a_forged_account_of_a_megabyte_makes_no_peers_name_of_that_length(end: bytes) -> None:
    headers = b'NATS/1.0\r\nNats-Request-Info: {"acc":"' + b"A" * 1_000_000 + end

    assert len(peer_of(b"_INBOX.attack.1", headers)) < 200
