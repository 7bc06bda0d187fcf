"""One call to the store, on behalf of all who will have joined it by its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.cache.failures import TIMED_OUT, Failure
from domain.model.errors import SecretsError

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from domain.model.reference import SecretQuery
    from domain.model.secret import Secret
    from ports.clock import Clock
    from ports.secret_store import SecretStore

_ENOUGH = 0.9
"""The part of the usual time with which a request may lend the call its own deadline, and so does
without a timer beside the call's."""


def with_time_for_others(query: SecretQuery, now: float, usual_seconds: float) -> SecretQuery:
    """Return the query as the store gets it: with a request's usual time, or all but a tenth of it.

    Others may join who have more time left than the request that happened to come first.
    """
    if query.deadline - now < _ENOUGH * usual_seconds:
        return query._replace(deadline=now + usual_seconds)
    return query


async def ask(
    store: SecretStore, query: SecretQuery, clock: Clock, outages: AbstractSet[str]
) -> Secret | Failure:
    """Ask the store, and end the call at its deadline; raises only what nobody foresaw.

    After an UpstreamError whose `reason` is among the `outages` a former answer still stands.
    """
    try:
        async with clock.timeout_at(query.deadline):
            return await store.fetch(query)
    except TimeoutError:
        return TIMED_OUT
    except SecretsError as error:
        return Failure.of(error, outages)
