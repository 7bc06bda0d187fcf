"""An error that is expected, by its kind and its reason."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.model.errors import SecretsError


@contextmanager
def refused(kind: type[SecretsError], reason: str) -> Iterator[None]:
    """Expect the block to end with an error of this kind and reason."""
    with pytest.raises(kind) as raised:
        yield
    assert raised.value.reason == reason
