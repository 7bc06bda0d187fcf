"""Names of replicas can always stand in a message, and are each used once."""

from __future__ import annotations

import pytest

from adapters.change_notice.messages import is_name
from adapters.change_notice.replica_name import replica_name


@pytest.mark.parametrize(
    ("hostname", "begins"),
    [
        ("pod-7.example", "pod-7.example-"),
        ("", "replica-"),
        ("b\u00fcro pc\n", "b-ro-pc--"),
        ("x" * 500, "x" * 64 + "-"),
    ],
)
def test_any_hostname_gives_a_name(hostname: str, begins: str) -> None:
    name = replica_name(hostname)

    assert is_name(name)
    assert name.startswith(begins)
    assert len(name) == len(begins) + 8


def test_two_processes_on_one_host_are_told_apart() -> None:
    assert replica_name("host") != replica_name("host")
