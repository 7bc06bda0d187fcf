"""Attacks two cores again and again, and keeps count of how they answer."""

from __future__ import annotations

import asyncio
import gc
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adapters.access_policy.document import read_policy
from adapters.system.clock import SystemClock
from adapters.telemetry.log_setup import configure_logging
from domain.model.access import TrustedIssuers
from domain.model.errors import SecretsError
from domain.model.identity import AccountKey
from domain.model.transport import Operation, Reply
from domain.use_cases.replay_guard import ReplayGuard
from fuzz.attacks import Attack, next_attack
from fuzz.choices import Choices
from tests.adversarial.defended_core import COMPONENT, PROVIDER, TEAM, DefendedCore, LogText

REMEMBERED_BODIES: Final = 10_000
"""Fewer than in service, so that the replay guard is full, and its memory flat, early on."""

POLICY = f"""\
version: 1
issuers:
  team: {TEAM.public}
grants:
  - name: components
    entities:
      - issuer: team
        subject: {COMPONENT}
    secrets:
      - keys: ["/KEY", "/payments/**"]
        properties:
          environment: [prod, dev]
  - name: providers
    entities:
      - issuer: team
        subject: {PROVIDER}
    secrets:
      - keys: ["/**"]
denials:
  - name: traps
    keys: ["/payments/*/*"]
"""


@dataclass
class Session:
    """Two cores under attack: one with a policy file, one that trusts an issuer with everything.

    Attributes:
        sent: how many requests they were sent.
        cores: both of them.
        outcomes: how often one ended in which way: a secret, or an error and its reason.
    """

    sent: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        log = LogText()
        configure_logging("debug", "json", log)
        self.cores = [
            DefendedCore(
                log,
                access=access,
                clock=SystemClock(),
                replay_guard=ReplayGuard(300, REMEMBERED_BODIES),
            )
            for access in (
                read_policy(POLICY.encode()).rules,
                TrustedIssuers(frozenset({AccountKey(TEAM.public)})),
            )
        ]
        self._previous: Attack | None = None
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        """Close the event loop."""
        self._loop.close()

    def attack(self, data: bytes) -> None:
        """Send the one request these bytes stand for.

        Raises:
            Exception: the core broke a promise: no reply or no well-formed one, more or less than
                one record, or something in either that must not be there.
        """
        choices = Choices(data)
        core = choices.of(self.cores)
        attack = next_attack(choices, core.server.public, core.retired.public, self._previous)
        self._loop.run_until_complete(self._judge(core, attack))
        self._previous = attack
        self.sent += 1
        core.store.queries.clear()

    async def _judge(self, core: DefendedCore, attack: Attack) -> None:
        reply = await core.handle(
            attack.body,
            attack.host_xkey,
            operation=attack.operation,
            requester=attack.requester,
            max_reply=attack.max_reply,
        )
        if attack.operation == Operation.SERVER_XKEY:
            hold(reply == Reply(core.server.public.encode()), "the server's xkey and no more")
            self.outcomes["server_xkey"] += 1
            return
        answer = core.opened(reply, attack.one_time)
        refused = isinstance(answer, SecretsError)
        hold(
            refused == (core.record["outcome"] == "refused"), "the record says what the reply does"
        )
        hold(core.record["reason"] != "unexpected", "every failure is foreseen")
        if refused:
            self.outcomes[f"{core.record['error']} {core.record['reason']}"] += 1
        else:
            hold(core.record.get("decision") == "allow", "only what was allowed is answered")
            self.outcomes["secret"] += 1


def hold(kept: bool, promise: str) -> None:  # noqa: FBT001  reads as the assertion it is
    """Fail with the promise that was not kept."""
    if not kept:
        raise AssertionError(promise)


def resident_bytes() -> int:
    """Return the memory this process holds right now (Linux)."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
