"""The form that asks what the rules say of a request: from its bytes to a question."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from adapters.console.sources import Question
from adapters.telemetry.redaction import redact_text

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BODY_BYTES: Final = 64 * 1024
MAX_PROPERTIES: Final = 50
_MAX_MEMBERS: Final = 20
_TYPE: Final = "application/x-www-form-urlencoded"
_SHOWN_AGAIN: Final[tuple[str, ...]] = (
    *("key", "field", "version", "properties", "application", "host", "account", "user"),
    "every_grant",
)


@dataclass(frozen=True, slots=True)
class Entered:
    """What the form shows again, so that a part of it can be changed; never the token."""

    texts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __getitem__(self, name: str) -> str:
        """Return what was entered, "" for nothing."""
        return self.texts.get(name, "")


class FormError(Exception):
    """The form cannot be judged; says what to enter, and repeats nothing of it."""


def read_form(body: bytes, content_type: str) -> tuple[Mapping[str, str], Entered]:
    """Return every member, and those that are shown again.

    Raises:
        FormError: it is no form.
    """
    if content_type.partition(";")[0].strip().lower() != _TYPE:
        raise FormError("Send the form of this page.")
    try:
        found = parse_qs(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            encoding="utf-8",
            errors="strict",
            max_num_fields=_MAX_MEMBERS,
        )
    except ValueError:
        found = None
    if found is None:
        raise FormError("The form cannot be read; send it again from this page.")
    members = {name: texts[0] for name, texts in found.items() if len(texts) == 1}
    shown = {name: redact_text(members[name]) for name in _SHOWN_AGAIN if name in members}
    return members, Entered(shown)


def question_in(members: Mapping[str, str]) -> Question:
    """Return what is asked.

    Raises:
        FormError: something is missing or malformed.
    """
    given = {name: text.strip() for name, text in members.items()}
    token, key = "".join(given.get("token", "").split()), given.get("key", "")
    if not token:
        raise FormError("Paste the token of the component or provider.")
    if not key:
        raise FormError("Enter the key as the manifest has it.")
    if given.get("user") and not given.get("account"):
        raise FormError("Enter the NATS account beside the user; NATS names both.")
    return Question(
        token=token,
        key=key,
        field=given.get("field") or None,
        version=given.get("version") or None,
        properties=_properties(given.get("properties", "")),
        application=given.get("application") or None,
        host=given.get("host") or None,
        account=given.get("account") or None,
        user=given.get("user") or None,
        every_grant="every_grant" in given,
    )


def _properties(text: str) -> Mapping[str, str]:
    pairs: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, equals, value = line.partition("=")
        if not equals or not name or name in pairs or len(pairs) >= MAX_PROPERTIES:
            raise FormError(
                f"Write each policy property once, as NAME=VALUE on a line of its own; at most "
                f"{MAX_PROPERTIES}."
            )
        pairs[name] = value
    return MappingProxyType(pairs)
