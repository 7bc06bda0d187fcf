"""Everything an operator can set; the only place that reads the environment."""

from bootstrap.settings.configuration import Configuration, load_configuration
from bootstrap.settings.model import Settings, load_settings
from ports.settings import Problem, SettingsError

__all__ = [
    "Configuration",
    "Problem",
    "Settings",
    "SettingsError",
    "load_configuration",
    "load_settings",
]
