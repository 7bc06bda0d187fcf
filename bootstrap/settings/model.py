"""All settings of the service in one value."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from bootstrap.settings.access import AccessSettings
from bootstrap.settings.admin import AdminSettings
from bootstrap.settings.audit import AuditSettings
from bootstrap.settings.cache import CacheSettings
from bootstrap.settings.nats import NatsSettings
from bootstrap.settings.service import KeySettings, LimitSettings, LogSettings, ProcessSettings
from bootstrap.settings.stores import InfisicalSettings, NatsKvSettings, StoreSettings
from bootstrap.settings.tracing import TracingSettings
from bootstrap.settings.workers import WorkerSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bootstrap.settings.group import SettingsGroup
    from bootstrap.settings.problems import Problem

GROUPS: tuple[tuple[str, type[SettingsGroup]], ...] = (
    ("NATS", NatsSettings),
    ("Secret store", StoreSettings),
    ("Infisical", InfisicalSettings),
    ("NATS KV", NatsKvSettings),
    ("Cache", CacheSettings),
    ("Server key", KeySettings),
    ("Access", AccessSettings),
    ("Audit trail", AuditSettings),
    ("Admin HTTP", AdminSettings),
    ("Traces", TracingSettings),
    ("Limits", LimitSettings),
    ("Process", ProcessSettings),
    ("Worker processes", WorkerSettings),
    ("Logging", LogSettings),
)
"""Every group with its heading, in the order in which people read about them."""


class Settings(
    LogSettings,
    WorkerSettings,
    ProcessSettings,
    LimitSettings,
    TracingSettings,
    AdminSettings,
    AuditSettings,
    AccessSettings,
    KeySettings,
    CacheSettings,
    NatsKvSettings,
    InfisicalSettings,
    StoreSettings,
    NatsSettings,
):
    """What the service runs on. Frozen; its repr hides every secret."""

    @override
    @classmethod
    def contradictions(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        return chain.from_iterable(group.contradictions(given) for _, group in GROUPS)
