"""Services for wasmCloud 2: the relay with the workloads behind it, the endpoint for plug-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ports.settings import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.settings import Configuration


def unfit_for(what: str, configuration: Configuration) -> Iterator[Problem]:
    """Yield what keeps these settings from being those of a service for wasmCloud 2."""
    if configuration.service.access_policy_file is None:
        yield Problem(
            "ACCESS_POLICY_FILE",
            f"is required for {what}: nothing signs a workload, so that without rules that name "
            "workloads none gets a secret. See docs/access-policy.md.",
        )
    if configuration.workers != 1:
        yield Problem("WORKERS", f"must be 1 for {what}; run several replicas instead.")
