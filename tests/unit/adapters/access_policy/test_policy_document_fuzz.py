"""Whatever stands in the file, reading it gives rules or mistakes, and nothing else."""

from __future__ import annotations

import contextlib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from adapters.access_policy.document import read_policy
from adapters.access_policy.problems import AccessPolicyError
from adapters.system import yaml_nodes
from tests.unit.adapters.access_policy.policies import GOOD

YAML_TEXT = st.text(st.sampled_from(" \n\t:-[]{},&*!|>'\"#%@`?~<a1/\\\x85\u2028é𝄞"), max_size=60)
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=10)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["version", "issuers", "grants", "denials", "name", "entities", "secrets", "keys",
                 "issuer", "subject", "properties", "revoked", "versions", "fields"]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)  # fmt: skip


def read(data: bytes) -> None:
    with contextlib.suppress(AccessPolicyError):
        read_policy(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_rules_or_mistakes(data: bytes) -> None:
    read(data)


@given(st.text(max_size=200))
def test_any_text_is_rules_or_mistakes(text: str) -> None:
    read(text.encode("utf-8", "surrogatepass"))


@given(YAML_TEXT)
def test_text_that_looks_like_yaml_is_rules_or_mistakes(text: str) -> None:
    read(text.encode())
    read(f"version: 1\nissuers: {{}}\ngrants: {text}".encode())


@given(TREES)
def test_any_yaml_document_is_rules_or_mistakes(tree: object) -> None:
    read(yaml.safe_dump(tree, allow_unicode=True).encode())


@given(st.integers(0, len(GOOD)), st.integers(0, 40), YAML_TEXT)
def test_a_good_file_with_a_piece_replaced_is_rules_or_mistakes(
    start: int, length: int, piece: str
) -> None:
    read((GOOD[:start] + piece + GOOD[start + length :]).encode())


@pytest.fixture
def _pure_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_nodes, "LOADER", yaml.SafeLoader)


@pytest.mark.usefixtures("_pure_python")
def test_without_the_c_library_files_are_read_alike() -> None:
    assert read_policy(GOOD.encode()).lines == {"billing": 5}
    for text in ("a: [", "a: *b", "\t", "a: &b !c d", "- ~\n- null\n-"):
        with pytest.raises(AccessPolicyError):
            read_policy(text.encode())
