"""A value that shows itself only when asked to."""

from __future__ import annotations

import copy
import pickle

import pytest

from domain.model.secret import Secret, SecretValue

CANARY = "canary-4711"


@pytest.mark.parametrize("payload", [CANARY, CANARY.encode()])
def test_no_rendering_shows_the_value(payload: str | bytes) -> None:
    value = SecretValue(payload)
    secret = Secret("1", value)

    renderings = [repr(value), str(value), f"{value}", f"{value!s}", "%s" % value, repr(secret)]  # noqa: UP031  the way is tested

    assert not [text for text in renderings if CANARY in text]
    assert value.reveal() == payload


def test_a_value_can_be_neither_pickled_nor_copied() -> None:
    value = SecretValue(CANARY)

    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            attempt(value)


def test_values_compare_by_content_and_kind() -> None:
    assert SecretValue("a") == SecretValue("a")
    assert SecretValue(b"a") == SecretValue(b"a")
    assert SecretValue("a") != SecretValue("b")
    assert SecretValue("a") != SecretValue(b"a")
    assert SecretValue(b"a") != SecretValue("a")
    assert SecretValue("a") != "a"


def test_a_value_cannot_be_hashed() -> None:
    with pytest.raises(TypeError):
        hash(SecretValue("a"))
