"""From references in a start request to the values that they stand for, or to one refusal."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.wasmcloud2.held import Given
from domain.model.errors import InvalidRequest
from domain.model.replies import wire_name
from domain.model.secret import Secret
from domain.model.workload import Workload

if TYPE_CHECKING:
    from adapters.wasmcloud2.start_request import StartRequest
    from domain.model.errors import RequestError
    from domain.model.secret import SecretValue
    from domain.use_cases.read_for_workload import ReadsForWorkloads, WorkloadRead


MAX_TOLD: Final = 8
"""Refusals that one message tells of; the audit trail has all of them."""


class FillRefusedError(Exception):
    """At least one reference gets no value; the text says which, why, and what to do. `reasons`:
    constant codes, one a refused reference.
    """

    def __init__(self, text: str, reasons: tuple[str, ...]) -> None:
        super().__init__(text)
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Filling:
    """Reads every secret of one workload at the same time. `environment`: which hosts this relay
    serves, by the operator's word.
    """

    read: ReadsForWorkloads
    environment: str

    async def __call__(self, start: StartRequest, deadline: float) -> Given:
        """Read all that a request refers to. `deadline`: monotonic seconds by which the reads end.

        Raises:
            FillRefusedError: some secret is not to be had, or is no text.
        """
        workload = Workload(self.environment, start.namespace, start.name)
        wanted = {place.text: place.reference for place in start.places}
        reads = await asyncio.gather(
            *(self.read(workload, reference, deadline) for reference in wanted.values())
        )
        values: dict[str, SecretValue] = {}
        refusals: dict[str, tuple[str, str]] = {}
        for text, read in zip(wanted, reads, strict=True):
            outcome = text_outcome(read)
            if isinstance(outcome, Secret):
                values[text] = outcome.value
            else:
                refusals[text] = outcome.reason, shown(outcome, read)
        if refusals:
            told = [
                f"{place.shown}: {refusals[place.text][1]}"
                for place in start.places
                if place.text in refusals
            ]
            more = f" And {len(told) - MAX_TOLD} more." if len(told) > MAX_TOLD else ""
            raise FillRefusedError(
                f"secrets were refused. {' '.join(told[:MAX_TOLD])}{more}",
                tuple(reason for reason, _ in refusals.values()),
            )
        return Given(workload, start, values)


def text_outcome(read: WorkloadRead) -> Secret | RequestError:
    """Return a secret whose value is a text, or why the workload gets none."""
    outcome = read.outcome
    if not isinstance(outcome, Secret):
        return outcome
    value = outcome.value.reveal()
    if isinstance(value, str) and "\0" not in value and _is_unicode(value):
        return outcome
    return InvalidRequest(
        "The secret is binary, and version 2 takes text only; store it as text, such as in base64.",
        reason="value_not_text",
    )


def shown(refusal: RequestError, read: WorkloadRead) -> str:
    """Return a refusal for the workload's operator, with the request id to look it up by."""
    return f"{wire_name(refusal)}: {refusal.advice} (request {read.request_id})"


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
