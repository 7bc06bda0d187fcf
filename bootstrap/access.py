"""The access rules in force: where they come from, and how strictly they are applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from bootstrap.settings import Problem, SettingsError
from domain.model.access import AccessPolicy, AnyValidEntity, TrustedIssuers
from domain.model.access_modes import AppliedPolicy
from domain.model.identity import AccountKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adapters.access_policy.file import AccessPolicyFile
    from bootstrap.settings import Settings
    from ports.clock import Clock
    from ports.plugin import Sample

_SETTING = "ACCESS_POLICY_FILE"


@final
class AccessControl:
    """The rules of the policy file, or trusted issuers if any are named.

    Attributes:
        file: to be loaded before the first request and watched from then on; None without one.
        origin: "policy_file", "trusted_issuers" or "none".
        mode, issuers: AUTHORIZATION_MODE and TRUSTED_ISSUERS.
    """

    def __init__(self, settings: Settings, clock: Clock, *, requester_required: bool) -> None:
        self.file: AccessPolicyFile | None = None
        policy: AccessPolicy
        if settings.access_policy_file is not None:
            from adapters.access_policy.file import AccessPolicyFile  # noqa: PLC0415  with a file

            policy = self.file = AccessPolicyFile(settings.access_policy_file, clock)
        elif settings.trusted_issuers:
            policy = TrustedIssuers(frozenset(AccountKey(key) for key in settings.trusted_issuers))
        else:
            policy = AnyValidEntity()
        self.policy = AppliedPolicy(
            policy,
            # Without a file no rule can name a workload.
            admits_workloads=self.file is not None,
            requires_requester=requester_required,
            only_observes=settings.observes_only,
        )
        self._is_required = settings.require_access_policy
        self.mode: str = settings.authorization_mode
        self.issuers = tuple(settings.trusted_issuers)

    @property
    def origin(self) -> str:
        """Where the rules come from."""
        if self.file is not None:
            return "policy_file"
        return "trusted_issuers" if self.issuers else "none"

    async def load(self) -> None:
        """Read the file, if there is one.

        Raises:
            SettingsError: with every mistake in the file; or it grants nothing, and
                REQUIRE_ACCESS_POLICY insists on that.
        """
        if self.file is None:
            return
        from adapters.access_policy.problems import AccessPolicyError  # noqa: PLC0415  with a file

        try:
            await self.file.load()
        except AccessPolicyError as error:
            problems = [Problem(_SETTING, str(problem)) for problem in error.problems]
            raise SettingsError(*problems) from None
        # A grant to entities names an issuer, and one to workloads needs none.
        if self._is_required and not self.file.status.grants:
            raise SettingsError(
                Problem(_SETTING, "grants nothing, and REQUIRE_ACCESS_POLICY insists on grants.")
            )

    async def reload(self) -> None:
        """Read the file again at once, if there is one; the log says what is wrong with it."""
        if self.file is not None:
            await self.file.reload()

    def in_force(self) -> Mapping[str, object]:
        """Return what is in force, for the log: where rules come from, how many, and how strict.

        Without rules `rules` is "none": any valid signature is trusted.
        """
        mode = {"authorization_mode": self.mode, "rules": self.origin}
        if self.file is not None:
            status = self.file.status
            return mode | {
                "issuers": status.issuers,
                "grants": status.grants,
                "denials": status.denials,
                "policy_sha256": status.digest,
            }
        return mode | {"issuers": len(self.issuers)}

    def samples(self) -> Iterable[Sample]:
        """Return the policy file's figures for metrics; none without a file."""
        return () if self.file is None else self.file.status.samples()
