"""Signatures of Infisical's webhooks: what holds, and everything that must not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.infisical.webhook_signature import (
    SignatureInvalidError,
    SignedBodyMalformedError,
    WebhookRefusedError,
    WebhookVerifier,
)
from tests.fakes.clock import FakeClock
from tests.unit.adapters.infisical.infisical_webhooks import (
    KEY,
    NOW_MS,
    SECRET_KEY,
    body,
    header,
    mac,
    timed_header,
)


def test_a_vector_made_by_another_implementation_holds() -> None:
    """Made with `openssl dgst -sha256 -hmac`."""
    raw = b'{"event":"test","project":{},"timestamp":1800000000000}'
    signature = "8ab8498909b40354f1f3e195b0cd0789e6aa2b727a47d3e5874bf3c21b6d1dd8"
    verifier = WebhookVerifier(SecretStr(KEY), FakeClock(NOW_MS / 1000))

    assert verifier.verify(f"t=1800000000000;{signature}", raw)["event"] == "test"


def test_a_signed_webhook_is_read(verifier: WebhookVerifier) -> None:
    raw = body()

    assert verifier.verify(header(raw), raw) == json.loads(raw)


def test_the_form_of_alerts_holds_too(verifier: WebhookVerifier) -> None:
    raw = body()

    assert verifier.verify(timed_header(raw), raw) == json.loads(raw)


def test_the_form_of_alerts_needs_no_time_in_the_body(verifier: WebhookVerifier) -> None:
    raw = b'{"event":"test"}'

    assert verifier.verify(timed_header(raw), raw) == {"event": "test"}


def test_a_signature_of_one_form_does_not_pass_for_the_other(verifier: WebhookVerifier) -> None:
    raw = body()
    prefixed = f"{NOW_MS}.".encode() + raw

    with pytest.raises(SignatureInvalidError):
        verifier.verify(f"t={NOW_MS};{mac(prefixed)}", raw)
    with pytest.raises(SignatureInvalidError):
        verifier.verify(f"t={NOW_MS},v1={mac(raw)}", raw)
    with pytest.raises(SignedBodyMalformedError):
        verifier.verify(f"t={NOW_MS};{mac(prefixed)}", prefixed)


@pytest.mark.parametrize(
    "changed",
    [
        body(secretPath="/"),
        body().replace(b'"prod"', b'"dev"'),
        body() + b" ",
        body()[:-1],
        b"",
        b"\xff" * 100,
        body() * 1000,
    ],
)
def test_a_changed_body_is_refused(verifier: WebhookVerifier, changed: bytes) -> None:
    with pytest.raises(SignatureInvalidError):
        verifier.verify(header(body()), changed)


def test_another_key_is_refused(verifier: WebhookVerifier) -> None:
    raw = body()

    with pytest.raises(SignatureInvalidError):
        verifier.verify(header(raw, key=KEY + "x"), raw)


_HEX = mac(body())


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        _HEX,
        f";{_HEX}",
        f"t=;{_HEX}",
        f"t={NOW_MS}",
        f"t={NOW_MS};",
        f"t={NOW_MS};{_HEX[:-1]}",
        f"t={NOW_MS};{_HEX}0",
        f"t={NOW_MS};{_HEX.upper()}",
        f"t={NOW_MS};v1={_HEX}",
        f"t={NOW_MS},{_HEX}",
        f"t={NOW_MS}; {_HEX}",
        f" t={NOW_MS};{_HEX}",
        f"t={NOW_MS};{_HEX}\n",
        f"t=-{NOW_MS};{_HEX}",
        f"t={NOW_MS}.0;{_HEX}",
        f"t={NOW_MS:e};{_HEX}",
        f"t={'9' * 5000};{_HEX}",
        f"t={NOW_MS};" + "\u0661" * 64,
        f"t=\u0661\u0662\u0663;{_HEX}",
        f"t={NOW_MS};{_HEX[:-1]}\uff11",
        f"t={NOW_MS};{_HEX},t={NOW_MS};{_HEX}",
        "t=\0;" + _HEX,
    ],
)
def test_a_header_of_no_known_form_is_refused(verifier: WebhookVerifier, text: str | None) -> None:
    with pytest.raises(SignatureInvalidError):
        verifier.verify(text, body())


@pytest.mark.parametrize(
    "raw",
    [
        body(at=NOW_MS + 1),
        b'{"event":"test"}',
        b'{"timestamp":"1800000000000"}',
        b'{"timestamp":1800000000000.0}',
        b'{"timestamp":true}',
        b'{"timestamp":null}',
        b'{"timestamp":1,"timestamp":1800000000000}',
        b'[{"timestamp":1800000000000}]',
        b"1800000000000",
        b"not json",
        b"",
        b"\xff",
        b'{"timestamp":1800000000000,"x":NaN}',
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b',"timestamp":1800000000000}',
    ],
)
def test_a_body_that_does_not_repeat_the_signatures_time_is_refused(
    verifier: WebhookVerifier, raw: bytes
) -> None:
    with pytest.raises(SignedBodyMalformedError):
        verifier.verify(header(raw), raw)


def test_a_time_in_an_alerts_body_must_be_the_signatures(verifier: WebhookVerifier) -> None:
    raw = body(at=NOW_MS - 1)

    with pytest.raises(SignedBodyMalformedError):
        verifier.verify(timed_header(raw), raw)


def test_refusals_and_the_verifier_tell_nothing_of_key_or_input(verifier: WebhookVerifier) -> None:
    raw = body(secretPath="/canary-in-the-body").replace(b"}", b"", 1)
    attempts = [(header(raw), raw), (f"canary-in-the-header {mac(raw)}", raw), (header(b""), raw)]

    for text, sent in attempts:
        with pytest.raises(WebhookRefusedError) as caught:
            verifier.verify(text, sent)
        error: BaseException | None = caught.value
        while error is not None:
            assert "canary" not in f"{error!r}{error.__dict__}"
            assert KEY not in f"{error!r}"
            error = error.__context__
    assert KEY not in f"{verifier!r} {vars(verifier)}"


@given(st.text(max_size=120), st.binary(max_size=200))
def test_nothing_unsigned_is_ever_taken(text: str, raw: bytes) -> None:
    verifier = WebhookVerifier(SECRET_KEY, FakeClock(NOW_MS / 1000))

    with pytest.raises(SignatureInvalidError):
        verifier.verify(text, raw)
