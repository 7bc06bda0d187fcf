"""The rules of access as the service runs them: deciding, and the file they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.access_policy.mistakes import AccessPolicyError
from bootstrap.settings import Problem, SettingsError

if TYPE_CHECKING:
    from adapters.access_policy.file import AccessPolicyFile
    from domain.model.access import AccessPolicy

_SETTING = "ACCESS_POLICY_FILE"


@dataclass(frozen=True, slots=True)
class AccessParts:
    """What decides.

    Attributes:
        file: to be loaded before the first request and watched from then on; None without one.
    """

    policy: AccessPolicy
    file: AccessPolicyFile | None = None

    async def load(self, *, required: bool) -> None:
        """Read the file, if there is one.

        Args:
            required: whether a file is refused that names no issuer or grants nothing.

        Raises:
            SettingsError: with every mistake in the file.
        """
        if self.file is None:
            return
        try:
            await self.file.load()
        except AccessPolicyError as error:
            problems = [Problem(_SETTING, str(mistake)) for mistake in error.mistakes]
        else:
            status = self.file.status
            if not required or (status.issuers and status.grants):
                return
            problems = [
                Problem(
                    _SETTING,
                    "names no issuer or grants nothing, and REQUIRE_ACCESS_POLICY insists on both.",
                )
            ]
        raise SettingsError(*problems)
