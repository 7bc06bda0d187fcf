"""Damaged policy files: each is read whole, or refused with mistakes that a person can read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from adapters.access_policy.document import read_policy
from adapters.access_policy.problems import AccessPolicyError
from adapters.access_policy.summary import denials_in_words, grants_in_words
from domain.model.access import AccessRequest
from domain.model.access_index import IndexedRules
from domain.model.identity import AccountKey, Caller, Claims, IdentityKind, SubjectKey
from domain.model.reference import NO_PROPERTIES, SecretLocation
from fuzz.choices import Choices
from fuzz.session import POLICY, hold
from fuzz.spoiling import spoil_file
from tests.adversarial.defended_core import COMPONENT, PROVIDER, TEAM

_PIECES: Final = (
    *("\n", "\r", "\r\n", "\x85", "\u2028", "\u202e", "\u200b", "\x1b[2J", "\x00", "\t", " ", "  "),
    *("- ", ": ", "#", " #", "|", ">", "|-\n  ", "'", '"', "[", "]", "{", "}", ",", "&a ", "*a"),
    *("!!str ", "---\n", "...", "<<: ", "~", "null", "*", "**", "/**", "/*-*-*", "..", "\\x1b"),
    *("keys", "grants", "denials", "name", "subject", "kinds: [provider]", "versions: latest"),
)
_PATHS: Final = ("/KEY", "/payments/a", "/payments/a/b", "/", "/-----", "/KEY\n")


@dataclass
class PolicySession:
    """One policy file after the other.

    Attributes:
        sent: how many there were.
        outcomes: how often one was read, and how often each mistake was made.
    """

    sent: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def close(self) -> None:
        """Nothing is open."""

    def attack(self, data: bytes) -> None:
        """Read the one file these bytes stand for.

        Raises:
            Exception: a promise was broken.
        """
        self.sent += 1
        choices = Choices(data)
        try:
            document = read_policy(spoil_file(POLICY, _PIECES, choices))
        except AccessPolicyError as error:
            hold(bool(error.problems), "a refused file has a mistake")
            for mistake in error.problems:
                hold(str(mistake).isprintable(), "a mistake steers no terminal")
            self.outcomes[f"refused: {error.problems[0].advice[:40]}"] += 1
            return
        summaries = (*grants_in_words(document), *denials_in_words(document))
        hold(all(summary.name.isprintable() for summary in summaries), "a name is shown as it is")
        indexed = IndexedRules(document.rules)
        for request in _requests(choices):
            plain, quick = document.rules.decide(request), indexed.decide(request)
            hold(plain == quick, "an index changes no decision under few grants")
        self.outcomes["read"] += 1


def _requests(choices: Choices) -> list[AccessRequest]:
    host = Claims(IdentityKind.HOST, SubjectKey("N"), AccountKey("A"), "1", 0)
    entities = [
        Claims(kind, SubjectKey(subject), AccountKey(TEAM.public), "1", 0, name="x")
        for kind, subject in (
            (IdentityKind.COMPONENT, COMPONENT),
            (IdentityKind.PROVIDER, PROVIDER),
        )
    ]
    return [
        AccessRequest(
            Caller(entity, host),
            SecretLocation(choices.of(_PATHS)),
            None,
            None,
            NO_PROPERTIES,
            "infisical",
            0.0,
        )
        for entity in entities
    ]
