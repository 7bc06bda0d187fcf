"""The pages: each is what the replica says at that moment, put into a template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, final

from jinja2 import Environment, PackageLoader, StrictUndefined

from adapters.console import units
from adapters.console.form import Entered
from adapters.console.reasons import anchor_of, reasons
from adapters.console.store_health import store_health

if TYPE_CHECKING:
    from adapters.console.feed import RequestFeed
    from adapters.console.figures import Figures
    from adapters.console.sources import Judgement, Sources

_NAVIGATION: Final = (
    ("overview", "/console", "Overview"),
    ("requests", "/console/requests", "Requests"),
    ("store", "/console/store", "Store"),
    ("policy", "/console/policy", "Policy"),
    ("keys", "/console/keys", "Keys"),
    ("reasons", "/console/reasons", "Reasons"),
)
_OVERVIEW_GROUPS: Final = ("Transport", "Audit trail", "Process")


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
        self._templates.filters.update(
            ago=units.ago,
            clock=units.clock,
            duration=units.duration,
            moment=units.moment,
            prose=units.prose,
        )

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
