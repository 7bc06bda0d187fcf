"""Replies to this project's own host client: a rogue server must not break or mislead it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.errors import SecretsError
from domain.model.replies import MalformedReplyError, read_error, read_secret
from domain.model.secret import Secret
from tests.adversarial.defended_core import INPUT

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 300) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["secret", "error", "version", "string_secret", "binary_secret", "Other"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


def judge(body: bytes) -> None:
    for read, kinds in ((read_secret, Secret), (read_error, SecretsError)):
        try:
            answer: object = read(body)
        except MalformedReplyError:
            continue
        assert isinstance(answer, kinds)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_malformed(body: bytes) -> None:
    judge(body)


@given(DOCUMENTS)
def test_any_document_is_an_answer_or_malformed(document: object) -> None:
    judge(json.dumps(document).encode())


@pytest.mark.parametrize(
    "document",
    [
        {"secret": {"version": "1", "string_secret": INPUT, "binary_secret": [1]}},
        {"secret": {"version": "1", "string_secret": None, "binary_secret": None}},
        {"secret": {"version": "1", "binary_secret": [256]}},
        {"secret": {"version": "1", "binary_secret": [True]}},
        {"secret": {"version": 1, "string_secret": INPUT}},
        {"secret": INPUT},
    ],
)
def test_an_ambiguous_secret_is_malformed_and_not_repeated(document: object) -> None:
    with pytest.raises(MalformedReplyError) as caught:
        read_secret(json.dumps(document).encode())

    assert INPUT not in f"{caught.value!r}{caught.value.__context__!r}"
