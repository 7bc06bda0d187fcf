"""What every plug-in has in common: its version, its figures, and how it refuses to run."""

from __future__ import annotations

from typing import Final, NamedTuple

API_VERSION: Final = 1
"""The version of the plug-ins' interface; a plug-in written for another is refused at start."""


class PluginError(Exception):
    """The plug-in cannot be used as it is configured; the service does not start.

    Args:
        advice: what the setting must be, or what to do; it holds no secret.
        setting: the variable's name; empty where the advice is about something else.
    """

    def __init__(self, advice: str, *, setting: str = "") -> None:
        super().__init__(f"{setting} {advice}".strip())
        self.advice = advice
        self.setting = setting


class Sample(NamedTuple):
    """One figure of a part of the service, read at each scrape.

    Attributes:
        name: metric name without the product's prefix, in Prometheus' form, such as
            "vault_token_remaining_seconds"; counters end in "_total".
        meaning: one sentence for its help text.
        value: the figure now; for a histogram the sum of all observations.
        labels: bounded sets of values only; never a key, a caller, a token or an address.
        kind: "gauge", "counter" or "histogram".
        buckets: of a histogram: each upper bound with the observations up to it, and last the
            number of all observations under `math.inf`.
    """

    name: str
    meaning: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()
    kind: str = "gauge"
    buckets: tuple[tuple[float, int], ...] = ()
