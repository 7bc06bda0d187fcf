"""What the documents promise about readiness is what the code does."""

from __future__ import annotations

from adapters.admin_http.checks import STORE_FRESH_SECONDS
from tests.unit.docs.documents import ROOT


def test_the_reads_that_readiness_costs_are_those_that_are_made() -> None:
    text = " ".join((ROOT / "docs" / "monitoring.md").read_text("utf-8").split())

    assert f"The store is asked every {STORE_FRESH_SECONDS:g} seconds at most" in text
    assert f"up to {60 / STORE_FRESH_SECONDS:g} reads a minute" in text
