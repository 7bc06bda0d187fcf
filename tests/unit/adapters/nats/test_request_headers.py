"""The service's headers are found, and nothing in a header block can raise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.nats.headers import read_host_xkey, read_requester
from domain.model.transport import Requester

HOSTILE = [
    b"",
    b"NATS/1.0",
    b"NATS/1.0\r\n\r\n",
    b"NATS/1.0\r\nWasmCloud-Host-Xkey\r\n\r\n",
    b"NATS/1.0 503\r\n\r\n",
    b"\xff\xfe\r\n\xff: \xff\r\n",
    b"\r\n\r\n\r\n",
]


def block(*lines: bytes) -> bytes:
    return b"NATS/1.0\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


@pytest.mark.parametrize(
    "name", [b"WasmCloud-Host-Xkey", b"wasmcloud-host-xkey", b"WASMCLOUD-HOST-XKEY"]
)
@pytest.mark.parametrize("space", [b"", b" ", b"\t", b"   "])
def test_the_host_xkey_is_found_in_any_casing(name: bytes, space: bytes) -> None:
    assert read_host_xkey(block(b"Other: 1", name + b":" + space + b"XABC ")) == "XABC"


@pytest.mark.parametrize("headers", [None, *HOSTILE, block(b"Not-WasmCloud-Host-Xkey: X")])
def test_without_the_header_there_is_no_xkey(headers: bytes | None) -> None:
    assert read_host_xkey(headers) is None


def test_an_empty_header_is_not_a_missing_one() -> None:
    assert read_host_xkey(block(b"WasmCloud-Host-Xkey:")) == ""


def test_equal_copies_are_one() -> None:
    assert read_host_xkey(block(b"WasmCloud-Host-Xkey: X", b"wasmcloud-host-xkey: X")) == "X"


def test_contradicting_copies_look_like_no_key() -> None:
    copies = block(b"WasmCloud-Host-Xkey: XA", b"wasmcloud-host-xkey: XB")

    assert read_host_xkey(copies) == "XA, XB"


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert read_host_xkey(block(b"WasmCloud-Host-Xkey: X\xff")) == "X\ufffd"


def test_a_block_without_an_end_is_read_to_its_last_byte() -> None:
    assert read_host_xkey(b"NATS/1.0\r\nWasmCloud-Host-Xkey: X") == "X"


def test_a_status_on_the_first_line_hides_no_header() -> None:
    assert read_host_xkey(b"NATS/1.0 503 No\r\nWasmCloud-Host-Xkey: X\r\n\r\n") == "X"


def test_the_server_names_account_and_user() -> None:
    info = b'Nats-Request-Info: {"acc":"HOSTS","user":"lattice","rtt":1,"kind":"Client"}'

    assert read_requester(block(info)) == Requester("HOSTS", "lattice")


def test_a_user_the_server_does_not_name_is_left_out() -> None:
    assert read_requester(block(b'Nats-Request-Info: {"acc":"HOSTS"}')) == Requester("HOSTS")


@pytest.mark.parametrize(
    "headers",
    [
        None,
        *HOSTILE,
        block(b'nats-request-info: {"acc":"HOSTS"}'),
        block(b'Nats-Request-Info: {"acc":"A"}', b'Nats-Request-Info: {"acc":"B"}'),
        block(b"Nats-Request-Info: {"),
        block(b'Nats-Request-Info: ["acc"]'),
        block(b'Nats-Request-Info: {"acc":""}'),
        block(b'Nats-Request-Info: {"acc":1}'),
        block(b"Nats-Request-Info: " + b"[" * 100_000),
    ],
)
def test_anything_else_vouches_for_nobody(headers: bytes | None) -> None:
    assert read_requester(headers) is None


@given(st.binary(max_size=200))
def test_no_block_raises(headers: bytes) -> None:
    read_host_xkey(headers)
    read_requester(headers)
    read_host_xkey(block(b"WasmCloud-Host-Xkey:" + headers))
    read_requester(block(b"Nats-Request-Info:" + headers))
