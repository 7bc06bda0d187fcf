"""Everything an operator can set; the only place that reads the environment."""

from bootstrap.settings.configuration import Configuration, load_configuration
from bootstrap.settings.model import Settings, load_settings
from bootstrap.settings.variables import SettingsError
from ports.settings import Problem

__all__ = [
    "Configuration",
    "Problem",
    "Settings",
    "SettingsError",
    "load_configuration",
    "load_settings",
]
