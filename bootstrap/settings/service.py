"""What the service runs on: its plug-ins, cache, keys, limits, processes and log."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from typing_extensions import override

from adapters.system.setting_types import Choice, Seconds, SubjectToken, Text, XKeySeed, XKeySeeds
from adapters.telemetry.log_setup import LogFormat, LogLevel
from domain.model.messages import MAX_NAME_LENGTH
from domain.model.transport import HOST_TIMEOUT_SECONDS
from ports.settings import Problem, SettingsGroup, both_set

_NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]

MOST_WORKERS = 256


class ChoiceSettings(SettingsGroup):
    """Only the chosen plug-ins' own settings are read."""

    secret_store: Annotated[Text, Choice] = Field(
        default="infisical",
        description="Where secrets are kept: `infisical`, `nats-kv`, or another store that is "
        "installed.",
    )
    transport: Annotated[Text, Choice] = Field(
        default="nats",
        description="How requests come in: `nats`, or another transport that is installed.",
    )
    backend_name: SubjectToken | None = Field(
        default=None,
        description="Name of this backend: `backend` in the manifests' policies. Unset: the name "
        "of the store, such as `infisical`.",
    )

    @property
    def backend(self) -> str:
        """The backend's name, as the subjects and the manifests have it."""
        return self.backend_name or self.secret_store


class CacheSettings(SettingsGroup):
    """Answers kept in memory, sealed, behind the rules of access."""

    cache_ttl_seconds: _NotNegative | None = Field(
        default=None,
        description="Time for which a value is answered from memory. Unset: as the store has it, "
        "which is 5 for Infisical and 0 for NATS KV. With 0 each request asks the store; requests "
        "of the same moment share one call.",
    )
    cache_max_stale_seconds: _NotNegative = Field(
        default=0.0,
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


class KeySettings(SettingsGroup):
    """The xkey that hosts seal their requests for."""

    server_xkey_seed: XKeySeed | None = Field(
        default=None,
        description="Seed (`SX…`) of the server's xkey; the same for all replicas. With neither "
        "this nor the file each start makes a new key, and running hosts must be restarted.",
    )
    server_xkey_seed_file: Path | None = Field(
        default=None, description="File that holds that seed; made if it does not exist."
    )
    server_xkey_retired_seeds: XKeySeeds = Field(
        default=(),
        description="Former seeds, comma-separated, newest first: still opened, no longer "
        "announced.",
    )

    @override
    def unusable(self) -> Iterable[Problem]:
        from adapters.crypto.xkey_file import seed_file_problem

        path = self.server_xkey_seed_file
        if path is not None and (advice := seed_file_problem(path)) is not None:
            yield Problem("SERVER_XKEY_SEED_FILE", advice)

    @override
    @classmethod
    def contradictions(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        yield from both_set(given, "server_xkey_seed", "server_xkey_seed_file")


class LimitSettings(SettingsGroup):
    """How much and how long."""

    max_request_bytes: int = Field(
        default=16384,
        ge=1024,
        description="Largest sealed request that is opened; usual ones have about 2,000 bytes.",
    )
    replay_window_seconds: Seconds = Field(
        default=300.0, description="Time for which a repeated request is recognised."
    )
    clock_leeway_seconds: _NotNegative = Field(
        default=5.0,
        le=300,
        description="Difference allowed between clocks when tokens' times are checked.",
    )
    request_timeout_seconds: Annotated[Seconds, Field(lt=HOST_TIMEOUT_SECONDS)] = Field(
        default=8.0,
        description="Time to answer a request. Hosts wait 10 seconds, so it must be below that.",
    )
    host_freeze_seconds: _NotNegative = Field(
        default=5.0,
        description="Time that the secrets of one start may keep a host waiting for the store, all "
        "together: a host does nothing else meanwhile. 0: only REQUEST_TIMEOUT_SECONDS, for each.",
    )
    max_in_flight: int = Field(
        default=8192,
        ge=1,
        description="Requests under way at a time, but for those answered at once; more are "
        "refused. Three quarters of them may wait for the store.",
    )
    shutdown_grace_seconds: _NotNegative = Field(
        default=10.0,
        description="Time that requests in flight get to finish when the service stops.",
    )


class ProcessSettings(SettingsGroup):
    """What the operating system is asked for."""

    lock_memory: bool = Field(
        default=False,
        description="Keep the process's memory out of swap, where the system lets it (Linux, "
        "`ulimit -l`). Core dumps are off in any case.",
    )


class LogSettings(SettingsGroup):
    """What goes to stderr."""

    log_level: Annotated[LogLevel, Choice] = Field(
        default="info", description="`debug`, `info`, `warning` or `error`."
    )
    log_format: Annotated[LogFormat, Choice] = Field(
        default="auto",
        description="`json`, `console`, or `auto`: console on a terminal, otherwise JSON.",
    )


class WorkerSettings(SettingsGroup):
    """One process uses one core."""

    workers: int = Field(
        default=1,
        ge=1,
        le=MOST_WORKERS,
        description="Processes that share the requests, each with limits and connections of its "
        "own, but for limits that are said to hold for all workers together. From 2 up one more "
        "process starts them and keeps them running.",
    )


def _one_name(text: str) -> str:
    if len(text) > MAX_NAME_LENGTH or not text.isprintable() or "*" in text:
        raise ValueError(
            f"must be a name of at most {MAX_NAME_LENGTH} printable characters without an asterisk."
        )
    return text


class Wasmcloud2Settings(SettingsGroup):
    """What the relay and the agent for wasmCloud 2 have in common."""

    v2_environment: Annotated[Text, AfterValidator(_one_name)] | None = Field(
        default=None,
        description="Your word for the hosts of wasmCloud 2 that this process serves, such as "
        "`prod`; rules on workloads name it under `environments`. Required for the relay and for "
        "projected secrets.",
    )
