"""Everything an operator can set; the only place that reads the environment."""

from bootstrap.settings.load import load_settings
from bootstrap.settings.model import Settings
from bootstrap.settings.nats import NatsSettings
from bootstrap.settings.problems import Problem, SettingsError

__all__ = ["NatsSettings", "Problem", "Settings", "SettingsError", "load_settings"]
