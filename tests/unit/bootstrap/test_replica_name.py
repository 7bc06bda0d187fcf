"""How a process is named among the replicas."""

from __future__ import annotations

import pytest

from adapters.change_notice.messages import is_name
from bootstrap.plugin_contexts import replica_name


@pytest.mark.parametrize("host", ["node-1.example.com", "büro pc", "h" * 300, ""])
def test_a_replicas_name_can_stand_in_a_message(host: str) -> None:
    assert is_name(replica_name(host))
    assert is_name(replica_name())
