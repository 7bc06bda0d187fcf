"""What the operator decides; each field is a variable, documented by its description."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from wasmcloud_secrets.extension import Seconds, SettingsGroup


class FolderSettings(SettingsGroup):
    """Used when SECRET_STORE is folder."""

    prefix: ClassVar[str] = "FOLDER_STORE_"

    path: Path = Field(description="Folder whose files are the secrets.")
    poll_seconds: Seconds = Field(
        default=2.0, description="Time between two looks for changed files."
    )
