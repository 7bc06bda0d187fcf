"""Who is believed, and who may read what."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field
from typing_extensions import override

from adapters.system.setting_types import AccountKeys, Choice, ReadableFile
from ports.settings import Problem, SettingsGroup, says_yes

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
