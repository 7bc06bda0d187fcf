"""The rules in force, as the policy file on disk last gave them without a problem."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, final

import structlog
from typing_extensions import override

from adapters.access_policy.document import read_policy
from adapters.access_policy.problems import AccessPolicyError, PolicyProblem, UnreadablePolicyError
from adapters.access_policy.status import PolicyStatus
from adapters.access_policy.yaml_tree import MAX_BYTES
from adapters.system.files import read_file, why_not_read
from adapters.system.own_thread import POLL_SECONDS, OwnThread, settled
from domain.model.access import AccessPolicy, Decision
from domain.model.access_index import IndexedRules

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.access_policy.document import PolicyDocument
    from domain.model.access import AccessRequest
    from ports.clock import Clock

MAX_LOGGED = 20

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Content:
    """What was found on disk: bytes, or the problem of not finding any."""

    data: bytes
    unreadable: str | None = None

    @property
    def digest(self) -> str:
        return sha256(self.data).hexdigest()


@final
class AccessPolicyFile(AccessPolicy):
    """Denies everything until the first `load`; from then on the last good file decides.

    `load`, `reload` and `watch` may run at the same time. Nothing is read in the constructor.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._rules: IndexedRules | None = None
        self._document: PolicyDocument | None = None
        self._status = PolicyStatus()
        self._seen: _Content | None = None
        self._lock = asyncio.Lock()
        self._thread = OwnThread("access-policy")

    @property
    def status(self) -> PolicyStatus:
        """What is in force, and what is wrong with the file if it is not that."""
        return self._status

    @property
    def document(self) -> PolicyDocument | None:
        """The file in force; None before one was loaded."""
        return self._document

    @override
    def decide(self, request: AccessRequest) -> Decision:
        if self._rules is None:
            return Decision(allowed=False, reason="policy_not_loaded")
        return self._rules.decide(request)

    @property
    @override
    def revision(self) -> object:
        return self._rules

    async def load(self) -> None:
        """Read the file at start.

        Raises:
            AccessPolicyError: with every problem in it; whatever was in force stays so.
        """
        async with self._lock:
            problems = await self._apply(await self._read())
        if problems:
            raise AccessPolicyError(problems)

    async def reload(self) -> bool:
        """Read the file again at once, as on SIGHUP; never raises for what is in it. Returns
        whether the file as it is now is in force. Where not, the log and `status` say why.
        """
        async with self._lock:
            content = await self._read()
            if content == self._seen and not self._status.mistakes:
                _log.info("access_policy.unchanged", digest=self._status.digest)
                return True
            return not await self._apply(content)

    async def watch(self) -> None:
        """Take over every change of the file until cancelled.

        The content is compared, not its times: that alone sees the swapped links of a mounted
        Kubernetes volume, a file put in another's place, and two writes in one tick.
        """
        while True:
            await self._clock.sleep(POLL_SECONDS)
            async with self._lock:
                content = await settled(self._read, self._seen, self._clock)
                if content != self._seen:
                    await self._apply(content)

    async def _read(self) -> _Content:
        return await self._thread.run(lambda: _read(self._path))

    async def _apply(self, content: _Content) -> tuple[PolicyProblem, ...]:
        self._seen = content
        try:
            document, indexed = await self._thread.run(lambda: _indexed(content))
        except AccessPolicyError as error:
            problems = error.problems
        else:
            self._document = document
            self._put_in_force(indexed, content.digest)
            for warning in document.warnings[:MAX_LOGGED]:
                _log.warning("access_policy.rule_idle", warning=str(warning))
            return ()
        self._refuse(problems)
        return problems

    def _put_in_force(self, indexed: IndexedRules, digest: str) -> None:
        rules = indexed.rules
        self._rules = indexed
        status = self._status = PolicyStatus(
            digest, self._clock.now(), len(rules.issuers), len(rules.grants), len(rules.denials)
        )
        _log.info(
            "access_policy.loaded",
            digest=digest,
            issuers=status.issuers,
            grants=status.grants,
            denials=status.denials,
            revoked=len(rules.revoked_subjects) + len(rules.revoked_tokens),
        )

    def _refuse(self, problems: tuple[PolicyProblem, ...]) -> None:
        self._status = replace(self._status, mistakes=problems)
        _log.error(
            "access_policy.refused",
            file=str(self._path),
            mistakes=[str(problem) for problem in problems[:MAX_LOGGED]],
            mistakes_found=len(problems),
            still_in_force=self._status.digest,
        )


def read_policy_file(path: Path) -> PolicyDocument:
    """Read a policy file once; blocking, for the command line.

    Raises:
        AccessPolicyError: with every problem in it.
    """
    return _parse(_read(path))


def _indexed(content: _Content) -> tuple[PolicyDocument, IndexedRules]:
    document = _parse(content)
    return document, IndexedRules(document.rules)


def _parse(content: _Content) -> PolicyDocument:
    if content.unreadable is not None:
        raise UnreadablePolicyError((PolicyProblem(0, "", content.unreadable),))
    return read_policy(content.data)


def _read(path: Path) -> _Content:
    try:
        return _Content(read_file(path, MAX_BYTES + 1).data)
    except (OSError, ValueError) as error:
        return _Content(b"", why_not_read(error, "the policy file"))
