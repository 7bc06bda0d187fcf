"""How many processes serve on this machine."""

from pydantic import Field

from ports.settings import SettingsGroup

MOST_WORKERS = 256


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
