"""The members of both messages, for `adapters.change_notice.messages`: loaded with the first one.

Most processes end without a message, and pydantic takes a while to read a model.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

SCHEMA: Final = 1
_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:@-]{1,128}\z")]


class _Wire(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", hide_input_in_errors=True, serialize_by_alias=True
    )


class WireOrder(_Wire):
    """The order to forget; exactly one of `key`, `folder` and `all` is present."""

    version: int = Field(alias="schema", ge=SCHEMA, le=SCHEMA)
    id: _Name
    origin: _Name
    cause: Literal["store", "flush"]
    scope: dict[str, str]
    key: str | None = None
    folder: str | None = None
    all: bool | None = None


class WireAnswer(_Wire):
    """What one replica did."""

    replica: _Name
    removed: int = Field(ge=0, lt=2**53)
