"""What is in force of the policy file, for readiness and metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.access_policy.problems import PolicyProblem


@dataclass(frozen=True, slots=True)
class PolicyStatus:
    """Counts and verdict.

    Attributes:
        digest: SHA-256 of the file in force, in hexadecimal; None before one was loaded.
        loaded_at: seconds since the epoch at which it was loaded.
        mistakes: why the file on disk is not in force, and an older one, or none, is; empty if it
            is.
    """

    digest: str | None = None
    loaded_at: float | None = None
    issuers: int = 0
    grants: int = 0
    denials: int = 0
    mistakes: tuple[PolicyProblem, ...] = ()

    @property
    def problem(self) -> str | None:
        """Why requests are refused, as advice; None while a file is in force."""
        if self.digest is not None:
            return None
        return (
            "No access policy is in force; mend the file that ACCESS_POLICY_FILE names. The log "
            "lists its mistakes."
        )

    @property
    def degraded(self) -> str | None:
        """What is wrong with the file on disk while an older one is in force, as advice."""
        if not self.mistakes:
            return None
        return (
            "The access policy file has mistakes, which the log lists; the version before them "
            "stays in force."
        )

    def samples(self) -> Iterator[Sample]:
        """Yield the figures for metrics."""
        yield Sample(
            "access_policy_loaded",
            "1 once a policy file is in force, otherwise 0.",
            self.digest is not None,
        )
        yield Sample(
            "access_policy_refused",
            "1 while the policy file has a mistake and an older one, or none, is in force.",
            bool(self.mistakes),
        )
        if self.loaded_at is not None:
            yield Sample(
                "access_policy_loaded_timestamp_seconds",
                "When the policy in force was loaded, in seconds since the epoch; absent before.",
                self.loaded_at,
            )
        for name, meaning, count in (
            ("issuers", "Issuers that the policy in force trusts.", self.issuers),
            ("grants", "Grants of the policy in force.", self.grants),
            ("denials", "Denials of the policy in force.", self.denials),
        ):
            yield Sample(f"access_policy_{name}", meaning, count)
