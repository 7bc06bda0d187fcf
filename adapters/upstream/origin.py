"""Whether an answer is the store's own, or of what stands at its address instead.

Load balancers, captive portals and web servers answer for a store that is away. Before the store
has answered at all, that means that the address is wrong. Once it has answered there, anything
else's answer is an outage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from domain.model.errors import StoreUnavailable, UpstreamError

if TYPE_CHECKING:
    from adapters.upstream.config import UpstreamConfig


@final
class ApiOrigin:
    """Remembers whether the store has answered at its address. `proven`: it has."""

    def __init__(self, config: UpstreamConfig) -> None:
        self._config = config
        self.proven = False

    def confirm(self) -> None:
        """Note an answer that only the store gives."""
        self.proven = True

    def error(self) -> UpstreamError:
        """Return the error for an answer that is not the store's.

        `StoreUnavailable` once the store has answered at this address, else advice on the address.
        """
        config = self._config
        if self.proven:
            return StoreUnavailable(
                f"Something other than {config.name} answers at its address, where it answered "
                f"before; check {config.name}'s health and any proxy before it.",
                reason=f"{config.code}_not_answering",
            )
        return UpstreamError(
            f"No {config.name} API answers at {config.url_setting}; set it to the server's "
            "address.",
            reason=f"{config.code}_wrong_address",
        )
