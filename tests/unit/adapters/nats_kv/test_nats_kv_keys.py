"""Keys, sealed values and settings of a bucket, all checked before anything is asked of NATS."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.nats_kv.bucket import stream_config
from adapters.nats_kv.keys import is_served, kv_key, parse_revision
from adapters.nats_kv.value_cipher import SEAL_BYTES, ValueCipher
from domain.model.errors import InvalidRequest, UpstreamError
from ports.settings import SettingsError
from tests.support.environments import kv_settings


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("API_KEY", "API_KEY"),
        ("/API_KEY", "API_KEY"),
        ("payments/API_KEY", "payments/API_KEY"),
        ("/payments/API_KEY", "payments/API_KEY"),
        ("api.token", "api.token"),
        ("a/.env", "a/.env"),
        ("a=b-c_d", "a=b-c_d"),
    ],
)
def test_a_key_and_its_absolute_spelling_are_one_kv_key(key: str, name: str) -> None:
    assert kv_key(key) == name


@pytest.mark.parametrize(
    "key",
    [
        ".env",
        "end.",
        "two..dots",
        "white space",
        "tab\t",
        "line\n",
        "line\r\nPUB x 1",
        "star*",
        "tail>",
        "$JS",
        "\u00e4",
        "\u0661",
        "a:b",
        "",
        "/",
        "a//b",
        "../b",
    ],
)
def test_a_key_that_a_subject_cannot_carry_is_an_invalid_request(key: str) -> None:
    with pytest.raises(InvalidRequest):
        kv_key(key)


@pytest.mark.parametrize(
    ("name", "served"), [("a/b", True), ("/a", False), ("a//b", False), ("a/", False), ("é", False)]
)
def test_which_kv_keys_a_request_can_reach(name: str, served: bool) -> None:
    assert is_served(name) is served


@pytest.mark.parametrize(
    ("version", "revision"), [("1", 1), ("007", 7), ("18446744073709551615", 2**64 - 1)]
)
def test_a_version_is_a_revision_in_decimal(version: str, revision: int) -> None:
    assert parse_revision(version) == revision


@pytest.mark.parametrize(
    "version",
    [
        *("", "0", "-1", "+1", "1.0", "1e3", " 1", "1\n", "0x1", "1_0", "²", "\u0661", "latest"),
        *("18446744073709551616", "9" * 5000),
    ],
)
def test_anything_else_is_no_version(version: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_revision(version)


CANARY = "canary-33d0c2"


@pytest.mark.parametrize("value", ["", "text", "päss ✓", b"\xff\x00", b"\x80" * 1000])
def test_a_sealed_value_opens_as_what_it_was(value: str | bytes) -> None:
    cipher = ValueCipher(SodiumXKeyPair.generate())

    assert cipher.open(cipher.seal(value)).reveal() == value


def test_bytes_that_are_valid_utf8_open_as_text() -> None:
    cipher = ValueCipher(SodiumXKeyPair.generate())

    assert cipher.open(cipher.seal("päss".encode())).reveal() == "päss"


def test_the_sealed_form_is_what_the_xkey_seals_for_itself() -> None:
    xkey = SodiumXKeyPair.generate()

    sealed = ValueCipher(xkey).seal("value")

    assert xkey.open(sealed, xkey.public) == b"value"
    assert sealed.startswith(b"xkv1")
    assert len(sealed) == len("value") + SEAL_BYTES


def test_one_value_is_never_sealed_the_same_way_twice() -> None:
    cipher = ValueCipher(SodiumXKeyPair.generate())

    assert cipher.seal("value") != cipher.seal("value")


@pytest.mark.parametrize("damaged", [b"", b"xkv1", b"plain text", bytes(60)])
def test_what_does_not_open_is_an_upstream_error_that_names_the_setting(damaged: bytes) -> None:
    cipher = ValueCipher(SodiumXKeyPair.generate())

    with pytest.raises(UpstreamError, match="ENCRYPTION_XKEY_SEED") as caught:
        cipher.open(damaged)

    assert caught.value.__context__ is None


def test_what_somebody_else_sealed_for_this_key_does_not_open() -> None:
    xkey = SodiumXKeyPair.generate()
    forged = SodiumXKeyPair.generate().seal(b"value", xkey.public)

    with pytest.raises(UpstreamError):
        ValueCipher(xkey).open(forged)


def test_a_text_that_is_no_unicode_is_refused_without_showing_it() -> None:
    cipher = ValueCipher(SodiumXKeyPair.generate())

    with pytest.raises(InvalidRequest) as caught:
        cipher.seal(CANARY + "\ud800")

    assert caught.value.__context__ is None
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_the_repr_shows_the_public_key_only() -> None:
    xkey = SodiumXKeyPair.generate()

    assert repr(ValueCipher(xkey)) == f"ValueCipher({xkey.public})"


def test_the_default_bucket_is_the_one_of_wasmclouds_own_backend() -> None:
    assert kv_settings().bucket == "WASMCLOUD_SECRETS"


@pytest.mark.parametrize(
    "wrong",
    [
        {"bucket": ""},
        {"bucket": "a.b"},
        {"bucket": "a b"},
        {"bucket": "n\u00e4me"},
        {"history": 0},
        {"history": 65},
        {"replicas": 0},
        {"replicas": 6},
    ],
)
def test_a_setting_outside_its_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"must|may hold only"):
        kv_settings(**wrong)


def test_the_bucket_is_compressed_durable_and_as_configured() -> None:
    stream = stream_config(kv_settings(bucket="SECRETS", history=7, replicas=3)).as_dict()

    assert stream["name"] == "KV_SECRETS"
    assert stream["subjects"] == ["$KV.SECRETS.>"]
    assert (stream["compression"], stream["storage"]) == ("s2", "file")
    assert (stream["max_msgs_per_subject"], stream["num_replicas"]) == (7, 3)
    assert (stream["allow_direct"], stream["allow_rollup_hdrs"]) == (True, True)
