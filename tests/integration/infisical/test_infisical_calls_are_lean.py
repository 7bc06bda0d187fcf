"""What a call need not do, it does not: each one's cost is the rollout's, many times over."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.support.infisical_server import InfisicalServer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from tests.integration.infisical.conftest import OpenAdapter


class Searches:
    """Notes every module that is searched for, and finds none."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> None:
        del path, target
        self.names.append(name)


async def test_a_call_searches_for_no_module(
    open_adapter: OpenAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with InfisicalServer() as server:
        server.model.put("KEY", "value")
        adapter = open_adapter(server.url)
        await adapter.get("KEY")
        searches = Searches()
        monkeypatch.setattr(sys, "meta_path", [searches, *sys.meta_path])

        await adapter.get("KEY")

        assert searches.names == []
