"""What the operator decides; each field is a variable, documented by its description."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from pydantic import Field, SecretStr
from typing_extensions import override

from wasmcloud_secrets.extension import (
    Folder,
    HttpUrl,
    Problem,
    Seconds,
    SecretText,
    SettingsGroup,
    Text,
    one_without_other,
)

DEFAULT_FOLDER: Final = "/secrets"


class EtcdSettings(SettingsGroup):
    """Used when SECRET_STORE is etcd."""

    prefix: ClassVar[str] = "ETCD_STORE_"

    url: HttpUrl = Field(
        default="http://127.0.0.1:2379",
        description="Address of etcd, where it serves clients; its JSON gateway must be on, as it "
        "is by default.",
    )
    folder: Folder = Field(default=DEFAULT_FOLDER, description="What all keys begin with.")
    user: Text | None = Field(default=None, description="etcd user, where authentication is on.")
    password: SecretText | None = Field(default=None, description="The user's password.")
    ca_file: Path | None = Field(
        default=None, description="Certificate authorities to trust, as PEM; default: the usual."
    )
    read_timeout_seconds: Seconds = Field(
        default=5.0, description="Time to wait for etcd, at each attempt."
    )

    @property
    def login(self) -> tuple[str, SecretStr] | None:
        """User and password, where etcd asks for them."""
        return (self.user, self.password) if self.user and self.password else None

    @classmethod
    @override
    def contradictions(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        return one_without_other(given, "user", "password", prefix=cls.prefix)
