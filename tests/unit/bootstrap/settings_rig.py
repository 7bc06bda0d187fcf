"""Settings from variables that a test sets."""

from __future__ import annotations

import pytest

from adapters.infisical.settings import InfisicalSettings
from adapters.nats.settings import NatsSettings
from bootstrap.settings import (
    Configuration,
    Settings,
    SettingsError,
    load_configuration,
)
from tests.support.environments import infisical_environment

CANARY = "canary-77aa"


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Configuration:
    for name, value in (infisical_environment() | variables).items():
        monkeypatch.setenv(name, value)
    return load_configuration()


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    return given(monkeypatch, **variables).service


def nats(monkeypatch: pytest.MonkeyPatch, **variables: str) -> NatsSettings:
    settings = given(monkeypatch, **variables).transport.settings
    assert isinstance(settings, NatsSettings)
    return settings


def infisical(monkeypatch: pytest.MonkeyPatch, **variables: str) -> InfisicalSettings:
    settings = given(monkeypatch, **variables).store.settings
    assert isinstance(settings, InfisicalSettings)
    return settings


def problems(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, **variables)
    return {problem.setting: problem.advice for problem in caught.value.problems}
