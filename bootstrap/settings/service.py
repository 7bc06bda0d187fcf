"""The service's own keys, limits, process and logging."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import override

from adapters.system.setting_types import Choice, Seconds, XKeySeed, XKeySeeds
from adapters.telemetry.log_setup import LogFormat, LogLevel
from domain.model.transport import HOST_TIMEOUT_SECONDS
from ports.settings import Problem, SettingsGroup, both_set


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
    clock_leeway_seconds: float = Field(
        default=5.0,
        ge=0,
        le=300,
        allow_inf_nan=False,
        description="Difference allowed between clocks when tokens' times are checked.",
    )
    request_timeout_seconds: Annotated[Seconds, Field(lt=HOST_TIMEOUT_SECONDS)] = Field(
        default=8.0,
        description="Time to answer a request. Hosts wait 10 seconds, so it must be below that.",
    )
    host_freeze_seconds: float = Field(
        default=5.0,
        ge=0,
        allow_inf_nan=False,
        description="Time that the secrets of one start may keep a host waiting for the store, all "
        "together: a host does nothing else meanwhile. 0: only REQUEST_TIMEOUT_SECONDS, for each.",
    )
    max_in_flight: int = Field(
        default=8192,
        ge=1,
        description="Requests under way at a time, but for those answered at once; more are "
        "refused. Three quarters of them may wait for the store.",
    )
    shutdown_grace_seconds: float = Field(
        default=10.0,
        ge=0,
        allow_inf_nan=False,
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
