"""For whom this process reads secrets where version 2 of wasmCloud asks for none."""

from typing import Annotated

from pydantic import AfterValidator, Field

from adapters.system.setting_types import Text
from domain.model.messages import MAX_NAME_LENGTH
from ports.settings import SettingsGroup


def _one_name(text: str) -> str:
    if len(text) > MAX_NAME_LENGTH or not text.isprintable() or "*" in text:
        raise ValueError(
            f"must be a name of at most {MAX_NAME_LENGTH} printable characters without an asterisk."
        )
    return text


class Wasmcloud2Settings(SettingsGroup):
    """What the relay and the agent for wasmCloud 2 have in common."""

    v2_environment: Annotated[Text, AfterValidator(_one_name)] | None = Field(
        default=None,
        description="Your word for the hosts of wasmCloud 2 that this process serves, such as "
        "`prod`; rules on workloads name it under `environments`. Required for the relay and for "
        "projected secrets.",
    )
