"""The secret request: what a host seals for the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.model.authenticated_request import AskedSecret
from domain.model.errors import InvalidRequest
from domain.model.key_path import MAX_KEY_LENGTH
from domain.model.strict_json import PEER_BRACKETS, MalformedJsonError, parse_json

if TYPE_CHECKING:
    from typing import Self

MAX_NAME_LENGTH = 256
"""Characters that a field, a version or an application's name may have. Neither is signed, and each
is compared with rules, and kept while the request waits."""

_TOO_LONG = "string_too_long"
"""What pydantic calls a text longer than its `max_length`."""


class _Message(BaseModel):
    model_config = ConfigDict(
        frozen=True, strict=True, extra="ignore", hide_input_in_errors=True, validate_default=False
    )


class Application(_Message):
    """The application the entity belongs to; it carries no signature.

    Attributes:
        name: None for anything that wadm did not start.
        policy: a JSON document as text, see `domain.model.policy_properties`.
    """

    name: str | None = Field(default=None, max_length=MAX_NAME_LENGTH)
    policy: str | None = None


PROBE_KEY: Final = "wasmcloud-secrets-keys-rotate"
"""The key that `keys rotate` asks for without a token: which xkeys does a replica open?"""


class RequestContext(_Message):
    """Who asks, as signed tokens."""

    entity_jwt: str = Field(repr=False)
    host_jwt: str = Field(repr=False)
    application: Application | None = None


class SecretRequest(_Message):
    """One secret wanted (`SecretRequest` of wasmcloud-secrets-types, v1alpha1)."""

    key: str = Field(max_length=MAX_KEY_LENGTH)
    field: str | None = Field(default=None, max_length=MAX_NAME_LENGTH)
    version: str | None = Field(default=None, max_length=MAX_NAME_LENGTH)
    context: RequestContext

    @property
    def asked(self) -> AskedSecret:
        """Which secret it names."""
        return AskedSecret(self.key, self.field, self.version)

    @classmethod
    def key_probe(cls) -> Self:
        """Return a request that asks only whether a replica opens it: it names no entity."""
        return cls(key=PROBE_KEY, context=RequestContext(entity_jwt="", host_jwt=""))

    @property
    def is_key_probe(self) -> bool:
        """Whether it is such a request; one with a token is refused like any other."""
        context = self.context
        return self.key == PROBE_KEY and not context.entity_jwt and not context.host_jwt

    @classmethod
    def from_json(cls, plaintext: bytes) -> Self:
        """Read an opened request; unknown members are ignored.

        Raises:
            InvalidRequest: not strict JSON, or a member is missing, of another type or too long.
        """
        too_long = False
        try:
            return cls.model_validate(parse_json(plaintext, max_brackets=PEER_BRACKETS))
        except MalformedJsonError:
            pass
        except ValidationError as error:
            too_long = all(found["type"] == _TOO_LONG for found in error.errors())
        # Raised out here: pydantic's error keeps the tokens it was given.
        if too_long:
            raise InvalidRequest(
                f"A key may have {MAX_KEY_LENGTH} characters, a field, a version and an "
                f"application's name {MAX_NAME_LENGTH} each; shorten what is longer.",
                reason="request_member_too_long",
            )
        raise InvalidRequest(
            "The sealed body is no secret request; check the host's version.",
            reason="request_malformed",
        )

    def to_json(self) -> bytes:
        """Write the request as hosts do."""
        return self.model_dump_json().encode()
