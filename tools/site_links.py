"""Whether every link of a built site leads somewhere in it, and nothing comes from elsewhere."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ASSETS: Final = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
_NO_ASSET: Final = {"canonical", "prev", "next", "alternate"}


class _Page(HTMLParser):
    """The anchors, links and assets of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.assets: list[str] = []
        self.feed(text)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        address = given.get(_ASSETS.get(tag, ""))
        if address and given.get("rel") not in _NO_ASSET:
            self.assets.append(address)


def problems(site: Path) -> list[str]:
    """Return a line for each link without a target and each asset from elsewhere, by page."""
    pages = {path: _Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}
    return [
        f"{path.relative_to(site)}: {problem}"
        for path, page in pages.items()
        # The page for what is not there is shown at any address.
        if path.name != "404.html"
        for problem in _of_page(site, path, page, pages)
    ]


def _of_page(site: Path, path: Path, page: _Page, pages: dict[Path, _Page]) -> Iterator[str]:
    for asset in page.assets:
        if _is_elsewhere(asset):
            yield f"{asset} is fetched from elsewhere"
        elif not asset.startswith("data:") and not _target(site, path, asset).exists():
            yield f"{asset} is missing"
    for link in page.links:
        if _is_elsewhere(link) or urlsplit(link).scheme:
            continue
        target = _target(site, path, link)
        anchor = unquote(urlsplit(link).fragment)
        if not target.exists():
            yield f"{link} leads nowhere"
        elif anchor and target in pages and anchor not in pages[target].anchors:
            yield f"{link} names no heading there"


def _is_elsewhere(address: str) -> bool:
    return address.startswith("//") or urlsplit(address).scheme in {"http", "https"}


def _target(site: Path, page: Path, link: str) -> Path:
    path = unquote(urlsplit(link).path)
    if not path:
        return page
    target = (site / path.lstrip("/") if path.startswith("/") else page.parent / path).resolve()
    return target / "index.html" if target.is_dir() else target
