"""Documents drawn at random: each is a request or an invalid one."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from domain.model.errors import InvalidRequest, SecretsError
from domain.model.messages import SecretRequest

JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["key", "field", "version", "context", "entity_jwt", "host_jwt", "application",
                 "name", "policy"]
            )
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON_LIKE)
def test_any_document_is_a_request_or_an_invalid_one(document: object) -> None:
    judge_request(json.dumps(document).encode())


@given(st.binary(max_size=300))
def test_any_bytes_are_a_request_or_an_invalid_one(plaintext: bytes) -> None:
    judge_request(plaintext)


@given(st.text(st.sampled_from('{}[]":,\\u0aeE+-.1ntfk \n'), max_size=60))
def test_text_that_looks_like_json_is_a_request_or_an_invalid_one(text: str) -> None:
    judge_request(text.encode())


def judge_request(plaintext: bytes) -> None:
    refusal: SecretsError | None = None
    try:
        SecretRequest.from_json(plaintext)
    except SecretsError as error:
        refusal = error
    assert refusal is None or isinstance(refusal, InvalidRequest)
    assert refusal is None or refusal.__context__ is None
