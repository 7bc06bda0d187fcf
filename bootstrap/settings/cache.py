"""How long the service keeps what a store answered, and how much of it."""

from __future__ import annotations

from pydantic import Field

from ports.settings import SettingsGroup


class CacheSettings(SettingsGroup):
    """Answers kept in memory, sealed, behind the rules of access."""

    cache_ttl_seconds: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="Time for which a value is answered from memory. Unset: as the store has it, "
        "which is 5 for Infisical and 0 for NATS KV. With 0 each request asks the store; requests "
        "of the same moment share one call.",
    )
    cache_max_stale_seconds: float = Field(
        default=0.0,
        ge=0,
        allow_inf_nan=False,
        description="Time past that for which a value is answered while the store is unreachable, "
        "failing or limiting; 0 is never. Values are kept for it even with `CACHE_TTL_SECONDS=0`.",
    )
    cache_max_entries: int = Field(
        default=10_000, ge=1, description="Values kept; beyond, the longest unused go."
    )
    cache_max_bytes: int = Field(
        default=64 * 1024**2, ge=1024, description="Memory that these may take."
    )
    cache_recheck_seconds: float | None = Field(
        default=None,
        ge=10,
        allow_inf_nan=False,
        description="Within this time each secret that was served is read from the store again, "
        "and a changed one announced as by a notice: for notices that were lost. Unset: never. See "
        "[change-notice.md](change-notice.md#when-a-notice-is-lost).",
    )
    cache_recheck_reads_per_minute: int = Field(
        default=30,
        ge=1,
        description="Reads for that purpose in any minute at most, by all workers of this replica "
        "together.",
    )
