"""The secret request: what a host seals for the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.model.authenticated_request import AskedSecret
from domain.model.errors import InvalidRequest
from domain.model.strict_json import MalformedJsonError, parse_json

if TYPE_CHECKING:
    from typing import Self


class _Message(BaseModel):
    model_config = ConfigDict(
        frozen=True, strict=True, extra="ignore", hide_input_in_errors=True, validate_default=False
    )


class Application(_Message):
    """The application the entity belongs to; nobody signs it.

    Attributes:
        name: None for anything that wadm did not start.
        policy: a JSON document as text, see `domain.model.policy_properties`.
    """

    name: str | None = None
    policy: str | None = None


class RequestContext(_Message):
    """Who asks, as signed tokens."""

    entity_jwt: str = Field(repr=False)
    host_jwt: str = Field(repr=False)
    application: Application | None = None


class SecretRequest(_Message):
    """One secret wanted (`SecretRequest` of wasmcloud-secrets-types, v1alpha1)."""

    key: str
    field: str | None = None
    version: str | None = None
    context: RequestContext

    @property
    def asked(self) -> AskedSecret:
        """Which secret it names."""
        return AskedSecret(self.key, self.field, self.version)

    @classmethod
    def from_json(cls, plaintext: bytes) -> Self:
        """Read an opened request; unknown members are ignored.

        Raises:
            InvalidRequest: not strict JSON, or a member is missing or of another type.
        """
        try:
            return cls.model_validate(parse_json(plaintext))
        except (MalformedJsonError, ValidationError):
            pass
        # Raised out here: pydantic's error keeps the tokens it was given.
        raise InvalidRequest(
            "The sealed body is no secret request; check the host's version.",
            reason="request_malformed",
        )

    def to_json(self) -> bytes:
        """Write the request as hosts do."""
        return self.model_dump_json().encode()
