"""What the audit stream is made of, without a server: acknowledgements, subjects, its shape."""

from __future__ import annotations

import pytest
from nats.js.api import DiscardPolicy, StorageType

from adapters.audit.publish_acks import PublishAcks
from adapters.audit.stream_config import AuditStreamConfig, covers, stream_config

KEPT = b'{"stream":"SECRETS_AUDIT","seq":1}'


def test_a_batch_is_settled_once_every_message_is_acknowledged() -> None:
    acks = PublishAcks(3, "SECRETS_AUDIT")
    acks.answer(2, KEPT)
    acks.answer(0, KEPT)
    assert (acks.leading, acks.settled.is_set()) == (1, False)

    acks.answer(1, b'{"stream":"SECRETS_AUDIT","seq":2,"duplicate":true}')

    assert (acks.leading, acks.settled.is_set(), acks.reason) == (3, True, None)


def test_an_acknowledgement_counts_once_and_only_for_a_message_of_the_batch() -> None:
    acks = PublishAcks(2, "SECRETS_AUDIT")
    for number in (0, 0, -1, 2, 99):
        acks.answer(number, KEPT)

    assert (acks.leading, acks.settled.is_set()) == (1, False)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "stream_missing"),
        (b'{"error":{"code":400,"err_code":10060,"description":"canary"}}', "refused_10060"),
        (b'{"error":{}}', "refused"),
        (b"no json", "answer_unreadable"),
        (b"[]", "answer_unreadable"),
        (b"\xff", "answer_unreadable"),
        # The service's own refusals, which a host may have sent to the inbox.
        (b'{"error": "DecryptionError"}', "answer_unreadable"),
        (b'{"error":{"Other":"canary"}}', "refused"),
        (b'{"error":null,"stream":"SECRETS_AUDIT","seq":1}', "answer_unreadable"),
        (b'{"error":"","stream":"SECRETS_AUDIT","seq":1}', "answer_unreadable"),
        # Another stream's acknowledgement, and what is none.
        (b'{"stream":"KV_WASMCLOUD_SECRETS","seq":1}', "answer_unreadable"),
        (b'{"stream":"SECRETS_AUDIT"}', "answer_unreadable"),
        (b'{"stream":"SECRETS_AUDIT","seq":"1"}', "answer_unreadable"),
        (b'{"stream":"SECRETS_AUDIT","seq":1.0}', "answer_unreadable"),
        (b'{"stream":"SECRETS_AUDIT","seq":true}', "answer_unreadable"),
        (b'{"stream":"SECRETS_AUDIT","seq":0}', "answer_unreadable"),
        (b'{"stream":["SECRETS_AUDIT"],"seq":1}', "answer_unreadable"),
        (b"{}", "answer_unreadable"),
    ],
)
def test_a_refusal_settles_the_batch_with_a_constant_reason(answer: bytes, reason: str) -> None:
    acks = PublishAcks(3, "SECRETS_AUDIT")
    acks.answer(0, KEPT)
    acks.answer(1, answer)
    acks.answer(2, b"")

    assert (acks.reason, acks.leading, acks.settled.is_set()) == (reason, 1, True)


@pytest.mark.parametrize(
    ("pattern", "is_covered"),
    [
        ("a.b.c", True),
        ("a.*.c", True),
        ("a.>", True),
        (">", True),
        ("a.b.*", True),
        ("a.b.c.>", False),
        ("a.b", False),
        ("a.b.d", False),
        ("a.*", False),
        ("b.>", False),
        ("a.b.c.d", False),
    ],
)
def test_a_subject_is_covered_by_itself_and_by_wildcards(pattern: str, is_covered: bool) -> None:
    assert covers(pattern, "a.b.c") is is_covered


def test_the_stream_is_made_on_disk_and_loses_the_oldest_first() -> None:
    made = stream_config(AuditStreamConfig(max_age_seconds=60, max_bytes=1000, replicas=3))

    assert (made.name, made.subjects) == ("SECRETS_AUDIT", ["wasmcloud.secrets.audit.v1"])
    assert (made.max_age, made.max_bytes, made.num_replicas) == (60, 1000, 3)
    assert (made.storage, made.discard) == (StorageType.FILE, DiscardPolicy.OLD)
    assert made.deny_delete
