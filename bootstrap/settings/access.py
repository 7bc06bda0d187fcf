"""Who is believed, who may read what, and where the record of it is kept."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field
from typing_extensions import override

from adapters.audit.stream_names import MAX_REPLICAS, is_stream_name
from adapters.system.setting_types import AccountKeys, Choice, ReadableFile, Text
from ports.settings import Problem, SettingsGroup, says_no, says_yes

ENFORCE: Final = "enforce"
OBSERVE: Final = "observe"


class AccessSettings(SettingsGroup):
    """The rules of access, and how strictly they are meant."""

    trusted_issuers: AccountKeys = Field(
        default=(),
        description="Accounts (`A…`), comma-separated, whose signature on a component or provider "
        "is trusted. If neither this nor a policy file is set, any signature is trusted, and the "
        "transport's permissions alone decide which hosts may ask.",
    )
    access_policy_file: ReadableFile | None = Field(
        default=None,
        description="YAML file that says which component or provider may read which secret, "
        "instead of `TRUSTED_ISSUERS`; read again when it changes and on SIGHUP.",
    )
    authorization_mode: Annotated[Literal["enforce", "observe"], Choice] = Field(
        default=ENFORCE,
        description="`enforce`, or `observe`: every request is let through, and the audit trail "
        "says what the rules would have refused.",
    )
    require_access_policy: bool = Field(
        default=False,
        description="Refuse to start without trusted issuers or a policy file with grants, and "
        "with `observe`.",
    )
    hide_missing_secrets: Annotated[Literal["auto", "true", "false"], Choice] = Field(
        default="auto",
        description="Answer `Unauthorized` where a secret does not exist, to callers whom rules "
        "cover for it only by a wildcard. `auto`: when a policy file is enforced.",
    )

    @property
    def hides_missing_secrets(self) -> bool:
        """Whether it is kept from callers that a secret no rule names does not exist."""
        if self.hide_missing_secrets == "auto":
            return self.access_policy_file is not None and not self.observes_only
        return self.hide_missing_secrets == "true"

    @property
    def observes_only(self) -> bool:
        """Whether no request is refused."""
        return self.authorization_mode == OBSERVE

    @override
    def unusable(self) -> Iterable[Problem]:
        if self.access_policy_file is None:
            return
        from adapters.access_policy.file import read_policy_file
        from adapters.access_policy.problems import AccessPolicyError

        try:
            read_policy_file(self.access_policy_file)
        except AccessPolicyError as error:
            for problem in error.problems:
                yield Problem("ACCESS_POLICY_FILE", str(problem))

    @override
    @classmethod
    def contradictions(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        if "trusted_issuers" in given and "access_policy_file" in given:
            yield Problem(
                "TRUSTED_ISSUERS, ACCESS_POLICY_FILE",
                "are both set; move the issuers into the file, under issuers, and unset "
                "TRUSTED_ISSUERS.",
            )
        if says_yes(given.get("require_access_policy")):
            yield from _not_required_enough(given)


def _not_required_enough(given: Mapping[str, Any]) -> Iterator[Problem]:
    if not given.keys() & {"trusted_issuers", "access_policy_file"}:
        yield Problem(
            "REQUIRE_ACCESS_POLICY",
            "is true, and there are no rules: set ACCESS_POLICY_FILE, or TRUSTED_ISSUERS.",
        )
    if str(given.get("authorization_mode", ENFORCE)).strip().lower() == OBSERVE:
        yield Problem(
            "REQUIRE_ACCESS_POLICY, AUTHORIZATION_MODE",
            "contradict each other: observe refuses no request. Choose enforce, or require no "
            "policy.",
        )


def _stream(name: str) -> str:
    if says_yes(name) or says_no(name):
        raise ValueError("must be the stream's name, such as SECRETS_AUDIT; unset it for none.")
    if is_stream_name(name):
        return name
    raise ValueError('must hold only letters, digits, "_" and "-".')


class AuditSettings(SettingsGroup):
    """One event for every request: into the log, a file, a stream, or several of them."""

    audit_log: bool = Field(
        default=True, description="Write audit events among the log lines on stderr."
    )
    audit_file: Path | None = Field(
        default=None,
        description="File that audit events are appended to, one line each; reopened on SIGHUP.",
    )
    audit_file_fsync: Annotated[Literal["never", "batch", "always"], Choice] = Field(
        default="batch",
        description="When written events are forced to the disk: `never`, after each `batch`, or "
        "`always`, after each event.",
    )
    audit_stream: Annotated[Text, AfterValidator(_stream)] | None = Field(
        default=None,
        description="JetStream stream that keeps the audit events of secrets that were served, "
        "such as `SECRETS_AUDIT`; all others go to one whose name ends in `_REFUSED`. Both are "
        "made if they do not exist.",
    )
    audit_stream_max_age_days: float = Field(
        default=90.0,
        ge=0,
        allow_inf_nan=False,
        description="Days for which the stream keeps an event, should it have to be made; 0 for "
        "as long as there is room.",
    )
    audit_stream_max_bytes: int = Field(
        default=1024**3,
        ge=1,
        description="Bytes that each stream may take, should it have to be made; beyond, its "
        "oldest events go.",
    )
    audit_stream_replicas: int = Field(
        default=1,
        ge=1,
        le=MAX_REPLICAS,
        description="Servers that each hold the stream, should it have to be made.",
    )
    audit_buffer_bytes: int = Field(
        default=16 * 1024**2,
        ge=1024,
        description="Bytes of events that may wait in memory for the file, as many for "
        "each stream, and up to 16 MiB for the log.",
    )
    audit_sign: bool = Field(
        default=False,
        description="Sign each event of the file and the streams, with a key derived from the "
        "server xkey, and name in it the one before; `audit verify` checks both.",
    )
    audit_refusals_per_second: int = Field(
        default=50,
        ge=1,
        description="Events of one kind that each process records in a second, but for those of "
        "secrets that were served; more are summed up in one event with a count.",
    )
    audit_when_full: Annotated[Literal["refuse", "drop"], Choice] = Field(
        default="refuse",
        description="While the file, stream or log can keep no more events: `refuse` requests, or "
        "`drop` events.",
    )

    @override
    def unusable(self) -> Iterable[Problem]:
        if self.audit_file is None:
            return
        from adapters.audit.line_file import ADVICE, obstacle

        if (reason := obstacle(self.audit_file)) is not None:
            advice = ADVICE.get(reason, "see the reason and choose another place")
            yield Problem("AUDIT_FILE", f"names a file that cannot be opened ({reason}); {advice}.")

    @override
    @classmethod
    def contradictions(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        kept = given.keys() & {"audit_file", "audit_stream"}
        if says_yes(given.get("audit_sign")) and not kept:
            yield Problem(
                "AUDIT_SIGN",
                "is true, and events of the log are never signed; set AUDIT_FILE or AUDIT_STREAM "
                "as well.",
            )
        if says_no(given.get("audit_log")) and not kept:
            yield Problem(
                "AUDIT_LOG",
                "is false, and nothing else keeps the audit trail; set AUDIT_FILE or AUDIT_STREAM "
                "as well.",
            )
