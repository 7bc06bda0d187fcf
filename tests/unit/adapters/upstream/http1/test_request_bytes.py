"""What goes over the wire for one request, and what never does."""

from __future__ import annotations

import pytest

from adapters.upstream.http1.request_bytes import RequestBytes
from adapters.upstream.message import UpstreamRequest


def sent(
    url: str, base: str = "http://store.test:8200/v1", proxy: str | None = None, **more: object
) -> bytes:
    request = UpstreamRequest(**{"method": "GET", "url": url, "headers": {}, **more})  # type: ignore[arg-type]
    return RequestBytes(base, proxy).of(request)


def test_the_target_goes_out_as_it_was_encoded() -> None:
    head = sent("http://store.test:8200/v1/a%2Fb?x=%20", headers={"Accept": "text/plain"})

    assert head == (
        b"GET /v1/a%2Fb?x=%20 HTTP/1.1\r\nHost: store.test:8200\r\nAccept: text/plain\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("base", "host"),
    [
        ("https://store.test", b"store.test"),
        ("https://store.test:443", b"store.test"),
        ("http://store.test:80", b"store.test"),
        ("http://store.test:443", b"store.test:443"),
        ("https://[2001:db8::1]:8443", b"[2001:db8::1]:8443"),
        ("https://b\u00fccher.test:8443", b"xn--bcher-kva.test:8443"),
    ],
)
def test_the_host_is_named_without_the_usual_port(base: str, host: bytes) -> None:
    assert b"\r\nHost: " + host + b"\r\n" in sent(f"{base}/x", base)


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [("POST", b"{}", b"2"), ("PUT", None, b"0"), ("GET", b"abc", b"3")],
)
def test_a_body_goes_out_with_its_length(method: str, body: bytes | None, length: bytes) -> None:
    data = sent("http://store.test:8200/v1", method=method, body=body)

    assert data.endswith(b"\r\nContent-Length: " + length + b"\r\n\r\n" + (body or b""))


def test_a_proxy_gets_the_whole_url_and_its_own_login() -> None:
    data = sent("http://store.test:8200/v1/x", proxy="http://us%40er:pa%3Ass@proxy.test:3128")

    assert data.startswith(b"GET http://store.test:8200/v1/x HTTP/1.1\r\nHost: store.test:8200\r\n")
    assert b"\r\nProxy-Authorization: Basic dXNAZXI6cGE6c3M=\r\n" in data


@pytest.mark.parametrize(
    "url",
    [
        "http://other.test:8200/v1/x",
        "http://store.test:82001/x",
        "http://store.test:8200@other.test/x",
        "https://store.test:8200/v1/x",
        "http://store.test:8200/v1/a b",
        "http://store.test:8200/x\r\nX: y",
        "http://store.test:8200/x\n",
    ],
)
def test_a_request_for_another_server_or_two_in_one_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^The request's target") as error:
        sent(url)

    assert url not in str(error.value)


def test_a_header_that_is_no_text_is_refused_without_its_value() -> None:
    with pytest.raises(ValueError, match="no text") as error:
        sent("http://store.test:8200/v1", headers={"X-Vault-Token": "canary\udcff"})

    assert "canary" not in repr(error.value)
    assert error.value.__context__ is None


@pytest.mark.parametrize("value", ["canary\r\nX-Other: 1", "canary\n", "\rcanary", "can\0ary"])
def test_a_header_that_would_end_early_is_refused_without_its_value(value: str) -> None:
    with pytest.raises(ValueError, match="control character") as error:
        sent("http://store.test:8200/v1", headers={"X-Vault-Token": value})

    assert "ary" not in str(error.value)
