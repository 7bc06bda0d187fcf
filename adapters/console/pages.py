"""The pages: each is what the replica says at that moment, put into a template.

One of them asks what the rules say of a request, by a form.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, final
from urllib.parse import parse_qs

from jinja2 import Environment, PackageLoader, StrictUndefined

from adapters.console.figures import ago, clock, duration, moment, prose
from adapters.console.reasons import anchor_of, reasons
from adapters.console.sources import Question
from adapters.console.store_health import store_health
from adapters.telemetry.redaction import redact_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.console.feed import RequestFeed
    from adapters.console.figures import Figures
    from adapters.console.sources import Judgement, Sources

MAX_BODY_BYTES: Final = 64 * 1024
MAX_PROPERTIES: Final = 50
_MAX_MEMBERS: Final = 20
_TYPE: Final = "application/x-www-form-urlencoded"
_OPTIONAL: Final = ("field", "version", "application", "host", "account", "user")
_SHOWN_AGAIN: Final[tuple[str, ...]] = ("key", "properties", *_OPTIONAL, "every_grant")

_NAVIGATION: Final = (
    ("overview", "/console", "Overview"),
    ("requests", "/console/requests", "Requests"),
    ("store", "/console/store", "Store"),
    ("policy", "/console/policy", "Policy"),
    ("keys", "/console/keys", "Keys"),
    ("reasons", "/console/reasons", "Reasons"),
)
_OVERVIEW_GROUPS: Final = ("Transport", "Audit trail", "Process")


@dataclass(frozen=True, slots=True)
class Entered:
    """What the form shows again, so that a part of it can be changed; never the token."""

    texts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __getitem__(self, name: str) -> str:
        """Return what was entered, "" for nothing."""
        return self.texts.get(name, "")


class FormError(Exception):
    """The form cannot be judged; says what to enter, and repeats nothing of it."""


def read_form(body: bytes, content_type: str) -> tuple[Mapping[str, str], Entered]:
    """Return every member, and those that are shown again.

    Raises:
        FormError: it is no form.
    """
    if content_type.partition(";")[0].strip().lower() != _TYPE:
        raise FormError("Send the form of this page.")
    try:
        found = parse_qs(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            encoding="utf-8",
            errors="strict",
            max_num_fields=_MAX_MEMBERS,
        )
    except ValueError:
        found = None
    if found is None:
        raise FormError("The form cannot be read; send it again from this page.")
    members = {name: texts[0] for name, texts in found.items() if len(texts) == 1}
    shown = {name: redact_text(members[name]) for name in _SHOWN_AGAIN if name in members}
    return members, Entered(shown)


def question_in(members: Mapping[str, str]) -> Question:
    """Return what is asked.

    Raises:
        FormError: something is missing or malformed.
    """
    given = {name: text.strip() for name, text in members.items()}
    token, key = "".join(given.get("token", "").split()), given.get("key", "")
    if not token:
        raise FormError("Paste the token of the component or provider.")
    if not key:
        raise FormError("Enter the key as the manifest has it.")
    if given.get("user") and not given.get("account"):
        raise FormError("Enter the NATS account beside the user; NATS names both.")
    return Question(
        token=token,
        key=key,
        properties=_properties(given.get("properties", "")),
        every_grant="every_grant" in given,
        **{name: given.get(name) or None for name in _OPTIONAL},
    )


def _properties(text: str) -> Mapping[str, str]:
    pairs: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, equals, value = line.partition("=")
        if not equals or not name or name in pairs or len(pairs) >= MAX_PROPERTIES:
            raise FormError(
                f"Write each policy property once, as NAME=VALUE on a line of its own; at most "
                f"{MAX_PROPERTIES}."
            )
        pairs[name] = value
    return MappingProxyType(pairs)


@final
class Pages:
    """Writes HTML. Every text is escaped: keys and names come from peers."""

    def __init__(self, sources: Sources, figures: Figures, feed: RequestFeed) -> None:
        self._sources = sources
        self._figures = figures
        self._feed = feed
        self._templates = Environment(
            loader=PackageLoader("adapters.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(anchor_of=anchor_of, navigation=_NAVIGATION)
        filters = (ago, clock, duration, moment, prose)
        self._templates.filters.update({write.__name__: write for write in filters})

    async def overview(self, host: str) -> str:
        """Write the replica, its workers, its readiness and how requests ended. `host`: the name
        that this console is asked under, without a port.
        """
        facts, groups = self._sources.facts, self._figures.groups()
        outcomes = {
            outcome: self._figures.total("requests_total", outcome=outcome)
            for outcome in ("answered", "refused", "cancelled")
        }
        return await self._page(
            "overview",
            uptime=self._sources.now() - facts.started_at,
            consoles=[
                (number, f"http://{host}:{facts.first_port + number}/console")
                for number in range(facts.workers)
            ],
            outcomes=outcomes,
            policy=self._sources.policy(),
            groups={title: groups[title] for title in _OVERVIEW_GROUPS if title in groups},
        )

    async def requests(self) -> str:
        """Write the reasons of all requests and the latest of these."""
        news = self._feed.latest()
        return await self._page(
            "requests",
            place=news.place,
            rows=news.rows[::-1],
            counts={
                tuple(name.split(" ", 1)): count for name, count in self._figures.reasons().items()
            },
        )

    async def store(self) -> str:
        """Write how the store and what stands before it are."""
        groups = self._figures.groups()
        health = list(store_health(self._figures, await self._sources.checks()))
        shown = {title: rows for title, rows in groups.items() if title not in _OVERVIEW_GROUPS}
        return await self._page("store", health=health, groups=shown)

    async def policy(
        self, entered: Entered | None = None, judgement: Judgement | None = None, problem: str = ""
    ) -> str:
        """Write the rules in force, the form, and what it came to."""
        return await self._page(
            "policy",
            policy=self._sources.policy(),
            entered=entered or Entered(),
            judgement=judgement,
            problem=problem,
        )

    async def keys(self) -> str:
        """Write which xkeys are announced and opened, and which of them requests still use."""
        opened = {
            key: self._figures.total("requests_opened_total", server_key=key)
            for key in ("current", "retired")
        }
        return await self._page("keys", keys=self._sources.keys, opened=opened)

    async def reasons(self) -> str:
        """Write what every reason means."""
        return await self._page("reasons", reasons=reasons().values())

    async def _page(self, name: str, **shown: Any) -> str:
        checks = await self._sources.checks()
        return self._templates.get_template(f"{name}.html").render(
            here=name,
            facts=self._sources.facts,
            checks=checks,
            ready=all(check.ok for check in checks),
            now=self._sources.now(),
            **shown,
        )
