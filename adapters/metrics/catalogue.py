"""Every metric of the service: its name, type, labels and the values that these may have.

No label ever holds a key, a subject, an issuer or any other text that a request may choose.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from domain.model.audit import Outcome, ServerKey
from domain.model.errors import REQUEST_ERRORS
from domain.model.replies import wire_name
from domain.model.transport import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX: Final = "wasmcloud_secrets_"
OTHER: Final = "other"
"""Stands for whatever a label has no value of its own for."""

NONE: Final = "none"

OPERATIONS: Final = (*(str(operation) for operation in Operation), OTHER)
OUTCOMES: Final = tuple(str(outcome) for outcome in Outcome)
ERRORS: Final = (NONE, *(wire_name(kind("")) for kind in REQUEST_ERRORS))
SERVER_KEYS: Final = tuple(str(key) for key in ServerKey)
SOURCES: Final = ("store", "cache", "stale", OTHER, NONE)
STORE_OUTCOMES: Final = (
    "ok",
    "not_found",
    "unauthorized",
    "invalid_request",
    "upstream_error",
    "timed_out",
    "cancelled",
    "failed",
)
WATCHED_REASONS: Final = (
    "unexpected",
    "replayed",
    "infisical_login_refused",
    "infisical_login_locked",
    "infisical_rate_limited",
)
"""Reasons of refusals that the alert rules watch; the rules and these name the same."""

CALLS: Final = ("login", "read")
CALL_STATUSES: Final = ("2xx", "3xx", "4xx", "429", "5xx", NONE)
LOOKUP_RESULTS: Final = ("hit", "miss", "shared", "remembered")


class WorkerEnd(StrEnum):
    """How a worker process ended whose place had to be taken by another."""

    KILLED = "killed"
    """By SIGKILL: mostly the system, for want of memory."""

    HUNG = "hung"
    """By the supervisor, since it gave no sign of life."""

    SIGNALLED = "signalled"
    """By any other signal, such as that of a crash."""

    FAILED = "failed"
    """By itself, with an exit code that is not 0."""

    ENDED = "ended"
    """By itself with exit code 0, though nobody told it to."""

    NOT_STARTED = "not_started"
    """Before it began: the system could not make a process."""


WORKER_ENDS: Final = tuple(str(end) for end in WorkerEnd)

DURATION_BUCKETS: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0),
)
"""Seconds. From a cached answer to the 10 seconds that hosts wait."""


class Kind(StrEnum):
    """The types of Prometheus that are used here."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Label:
    """One label.

    Attributes:
        values: all that it may have; None where configuration or a constant code decides.
    """

    name: str
    values: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One metric, under the name that queries use; a histogram's without `_bucket` and the like."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[Label, ...] = ()

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels' names, in order."""
        return tuple(label.name for label in self.labels)


def _counter(name: str, meaning: str, *labels: Label) -> MetricSpec:
    return MetricSpec(f"{PREFIX}{name}_total", Kind.COUNTER, meaning, labels)


def _gauge(name: str, meaning: str, *labels: Label) -> MetricSpec:
    return MetricSpec(PREFIX + name, Kind.GAUGE, meaning, labels)


def _histogram(name: str, meaning: str, *labels: Label) -> MetricSpec:
    return MetricSpec(PREFIX + name, Kind.HISTOGRAM, meaning, labels)


_OPERATION = Label("operation", OPERATIONS)
_OUTCOME = Label("outcome", OUTCOMES)
_SINK = Label("sink")

REQUESTS = _counter(
    "requests",
    "Requests that ended, by operation, outcome and the error's name on the wire.",
    _OPERATION,
    _OUTCOME,
    Label("error", ERRORS),
)
REASONS = _counter(
    "request_reasons",
    "Requests that ended, by the constant code that the audit trail gives as their reason.",
    _OUTCOME,
    Label("reason"),
)
DURATION = _histogram(
    "request_duration_seconds",
    "Time from a request's arrival to its end, by operation and where the value came from.",
    _OPERATION,
    Label("served_from", SOURCES),
)
OPENED = _counter(
    "requests_opened",
    "Requests that could be read, by the server key they were sealed for: while a former one is "
    "still used, it must stay among the retired.",
    Label("server_key", SERVER_KEYS),
)
IN_FLIGHT = _gauge("requests_in_flight", "Requests being served now.")
IN_FLIGHT_LIMIT = _gauge(
    "requests_in_flight_limit", "Requests served at a time; more are refused at once."
)
WAITING = _gauge("requests_waiting", "Requests that wait for the secret store.")
WAITING_LIMIT = _gauge(
    "requests_waiting_limit", "Requests that may wait for the secret store at a time."
)
WAITING_REFUSED = _counter(
    "requests_waiting_refused",
    "Requests refused because too many waited for the secret store, most of them for one folder; "
    "those answered by a stale value are among them.",
)
DROPPED = _counter("requests_dropped", "Requests that named no subject to which a reply may go.")

STORE_DURATION = _histogram(
    "store_call_duration_seconds",
    "Time of calls to the secret store, by how they ended; its count is that of the calls.",
    Label("outcome", STORE_OUTCOMES),
)
STORE_IN_FLIGHT = _gauge("store_calls_in_flight", "Calls to the secret store under way.")

BREAKER_OPEN = _gauge(
    "store_circuit_open", "1 while the store counts as down and is left alone, otherwise 0."
)
BREAKER_OPENED = _counter("store_circuit_opened", "Times that the store was found to be down.")
BREAKER_REFUSED = _counter(
    "store_circuit_refused", "Calls refused at once because the store counts as down."
)

LOGIN_AGE = _gauge(
    "infisical_login_age_seconds",
    "Seconds since the last login to Infisical that succeeded; absent before.",
)
TOKEN_REMAINING = _gauge(
    "infisical_token_remaining_seconds",
    "Seconds for which Infisical's access token is still used, 0 without a usable one; absent "
    "before the first.",
)
PAUSE = _gauge(
    "infisical_pause_seconds",
    "Seconds until the next call of this kind may be sent, for a rate limit or, as logins, after "
    "refused ones; 0 if it may be now.",
    Label("call", CALLS),
)
READS_IN_FLIGHT = _gauge("infisical_reads_in_flight", "Reads from Infisical under way.")
READS_WAITING = _gauge(
    "infisical_reads_waiting", "Reads that wait for a connection or for a rate limit."
)
READS_REFUSED = _counter(
    "infisical_reads_refused", "Reads refused because their turn would have come too late."
)
READS_LIMIT = _gauge(
    "infisical_reads_limit",
    "Reads a minute that Infisical takes, as its answers say; absent until one does.",
)
INFISICAL_CALLS = _counter(
    "infisical_calls",
    "HTTP calls to Infisical that ended, logins and repeated tries included, by the class of the "
    "answer's status.",
    Label("status", CALL_STATUSES),
)

INFISICAL_DURATION = _histogram(
    "infisical_call_duration_seconds",
    "Time of each HTTP call to Infisical by itself, without waiting for its turn or trying again.",
    Label("call", CALLS),
    Label("status", CALL_STATUSES),
)
READS_WAIT = _histogram(
    "infisical_read_wait_seconds",
    "Time that reads waited for a connection or for a rate limit before they were sent; those that "
    "were refused instead are not among them.",
)

CACHE_LOOKUPS = _counter(
    "cache_lookups",
    "Requests to the cache: answered by a fresh value, begun or joined a call to the store, or "
    "met a failure of a moment ago.",
    Label("result", LOOKUP_RESULTS),
)
CACHE_STALE = _counter("cache_stale", "Answers past their time, served because the store is out.")
CACHE_REFRESHES = _counter("cache_refreshes", "Calls to the store made ahead of expiry.")
CACHE_EVICTIONS = _counter("cache_evictions", "Values given up to stay within the bounds.")
CACHE_FLUSHED = _counter("cache_flushed", "Values dropped on demand.")
CACHE_ENTRIES = _gauge("cache_entries", "Values held.")
CACHE_BYTES = _gauge("cache_bytes", "Memory that the values held take, keys included.")

NATS_CONNECTED = _gauge("nats_connected", "1 while connected to NATS, otherwise 0.")

AUDIT_ACCEPTING = _gauge(
    "audit_accepting", "1 while the audit trail takes events; at 0 requests are refused."
)
AUDIT_WAITING = _gauge("audit_events_waiting", "Audit events not yet written.", _SINK)
AUDIT_DROPPED = _counter("audit_events_dropped", "Audit events lost.", _SINK)
AUDIT_FAILING = _gauge("audit_sink_failing", "1 while the last write failed, otherwise 0.", _SINK)

POLICY_LOADED = _gauge("access_policy_loaded", "1 once a policy file is in force, otherwise 0.")
POLICY_REFUSED = _gauge(
    "access_policy_refused",
    "1 while the policy file has a mistake and an older one, or none, is in force.",
)
POLICY_LOADED_AT = _gauge(
    "access_policy_loaded_timestamp_seconds",
    "When the policy in force was loaded, in seconds since the epoch; absent before.",
)
POLICY_ISSUERS = _gauge("access_policy_issuers", "Issuers that the policy in force trusts.")
POLICY_GRANTS = _gauge("access_policy_grants", "Grants of the policy in force.")
POLICY_DENIALS = _gauge("access_policy_denials", "Denials of the policy in force.")

CHECK_OK = _gauge(
    "readiness_check_ok",
    "1 while this check of /readyz holds, otherwise 0; absent until it was made.",
    Label("check"),
)
CHECK_AGE = _gauge(
    "readiness_check_age_seconds", "Seconds since the check was made.", Label("check")
)

WORKER_RESTARTS = _counter(
    "worker_restarts",
    "Times that this worker's place was taken by a new process, by how the one before it ended; "
    "0 without a supervisor.",
    Label("worker"),
    Label("ended", WORKER_ENDS),
)

BUILD_INFO = _gauge(
    "build_info", "Always 1; says which release this is.", Label("version"), Label("store")
)


def catalogue() -> Iterator[MetricSpec]:
    """Yield every metric, in the order of this module."""
    return (value for value in globals().values() if isinstance(value, MetricSpec))
