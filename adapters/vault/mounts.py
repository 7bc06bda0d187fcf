"""Which version of the key-value engine a mount has: asked for, never guessed from an answer.

A value of version 1 can look exactly like an answer of version 2, and a mount of version 1 read as
one of version 2 even answers 200 for keys below "data/" (measured). The server tells the version of
a mount to every token that has some right in it. An operator may upgrade a mount, or put another in
its place, so the version is asked for again after an answer that the other version would give.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from adapters.vault import reasons
from adapters.vault.answer import BAD_REQUEST, FORBIDDEN, NOT_FOUND, OK, whole_number
from adapters.vault.error_map import is_upgrading
from domain.model.errors import UpstreamError
from domain.model.recently_used import RecentlyUsed

if TYPE_CHECKING:
    from adapters.vault.addressing import Place
    from adapters.vault.answer import Answer
    from ports.clock import Clock

KvVersion: TypeAlias = Literal[1, 2]
MountKey: TypeAlias = "tuple[str, str]"
"""Namespace and mount."""

RECHECK_SECONDS: Final = 10.0
"""Between two questions about one mount: misses must not double the calls."""

MAX_MOUNTS: Final = 1000


@dataclass(slots=True)
class _Known:
    version: KvVersion
    asked_at: float


class KvVersions:
    """Remembers the versions of mounts; bounded, the least recently used go first."""

    def __init__(self, clock: Clock, fixed: KvVersion | None = None) -> None:
        """Take a clock, and the version where the operator says it for all mounts."""
        self._clock = clock
        self._fixed = fixed
        self._known: RecentlyUsed[MountKey, _Known] = RecentlyUsed(MAX_MOUNTS)

    def known(self, place: Place) -> KvVersion | None:
        """Return the version of a place's mount, None where it must be asked for."""
        if self._fixed is not None:
            return self._fixed
        found = self._known.find((place.namespace, place.mount))
        return None if found is None else found.version

    def learn(self, place: Place, answer: Answer) -> KvVersion:
        """Take the version from an answer 200 to the question about the mount.

        Raises:
            UpstreamError: the mount is another than asked for, or no key-value engine.
        """
        data = answer.member("data")
        details = data if isinstance(data, dict) else {}
        if details.get("path") != f"{place.mount}/":
            raise UpstreamError(
                "Vault has no secrets engine mounted there; check VAULT_MOUNT, or the mount that "
                "the policy chooses.",
                reason=reasons.MOUNT_NOT_FOUND,
                upstream_request_id=answer.request_id,
            )
        if details.get("type") not in {"kv", "generic"}:
            raise UpstreamError(
                "The mount is no key-value engine; name one that keeps secrets.",
                reason=reasons.MOUNT_NOT_KV,
                upstream_request_id=answer.request_id,
            )
        options = details.get("options")
        said = options.get("version") if isinstance(options, dict) else None
        version: KvVersion = 2 if said == "2" else 1
        self._known.keep((place.namespace, place.mount), _Known(version, self._clock.monotonic()))
        return version

    def is_doubtful(self, place: Place, answer: Answer) -> bool:
        """Say whether the answer is one that a mount of the other version would give.

        True at most once in RECHECK_SECONDS for each mount, save where only the other version
        answers so.
        """
        found = self._known.find((place.namespace, place.mount))
        if found is None:
            return False
        if _is_of_other_version(found.version, answer):
            return True
        now = self._clock.monotonic()
        if not _may_be_of_other_version(answer) or now < found.asked_at + RECHECK_SECONDS:
            return False
        found.asked_at = now
        return True

    def forget(self) -> None:
        """Ask for every version again."""
        self._known = RecentlyUsed(MAX_MOUNTS)


def _is_of_other_version(version: KvVersion, answer: Answer) -> bool:
    if version == 1:
        # Only version 2 explains a 404, whether or not the secret exists.
        return answer.status == NOT_FOUND and bool(answer.warnings)
    # Only version 1 gives advice how long to keep a value.
    return answer.status == OK and bool(whole_number(answer.member("lease_duration")))


def _may_be_of_other_version(answer: Answer) -> bool:
    if answer.status in {FORBIDDEN, NOT_FOUND}:
        return not answer.inline_failed
    return answer.status == BAD_REQUEST and is_upgrading(answer)
