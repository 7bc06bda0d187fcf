"""Which plug-ins serve: the secret store and the transport; and the name they are asked for by."""

from typing import Annotated

from pydantic import Field

from adapters.system.setting_types import Choice, SubjectToken, Text
from ports.settings import SettingsGroup


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
