"""Where replicas are told to forget values, and where operators hear of it.

Both lie beside the subjects that hosts may publish to (`{prefix}.{api_version}.{backend}.…`), never
below them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SUBJECT = re.compile(r"[^\s.*>\x00-\x1f\x7f]+(\.[^\s.*>\x00-\x1f\x7f]+)*")


@dataclass(frozen=True, slots=True)
class ControlSubjects:
    """The subjects of one backend.

    Raises:
        ValueError: a part cannot stand in a subject.
    """

    prefix: str = "wasmcloud.secrets"
    backend: str = "infisical"

    def __post_init__(self) -> None:
        for name, text in (("subject prefix", self.prefix), ("backend name", self.backend)):
            if not _SUBJECT.fullmatch(text):
                raise ValueError(
                    f"The {name} cannot stand in a NATS subject; use words joined by dots, without "
                    "spaces, '*', '>' or empty parts."
                )

    @property
    def invalidate(self) -> str:
        """What replicas tell each other; a `ControlCodec` authenticates it."""
        return f"{self.prefix}.control.{self.backend}.invalidate"

    @property
    def flush(self) -> str:
        """What operators order by hand; NATS permissions alone say who may publish there."""
        return f"{self.prefix}.control.{self.backend}.flush"

    @property
    def changed(self) -> str:
        """What operators subscribe to."""
        return f"{self.prefix}.events.{self.backend}.changed"
