"""Vault is not asked in the name of a caller that no token names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.vault.addressing import Place
from domain.model.errors import UpstreamError
from domain.model.workload import Workload
from tests.unit.adapters.vault.caller_rig import Rig

if TYPE_CHECKING:
    from pathlib import Path

CART = Workload("prod", "shop", "cart")


@pytest.mark.parametrize("way", ["inline", "tokens"])
async def test_a_workload_is_not_logged_in(tmp_path: Path, way: str) -> None:
    rig = Rig(tmp_path)
    access = rig.inline if way == "inline" else rig.tokens

    with pytest.raises(UpstreamError) as refused:
        await access.authorize(Place("secret"), CART)

    assert refused.value.reason == "store_needs_token"
