"""The pages of the site: where they stand, where their links lead, and what a version is."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.docs.documents import ROOT
from tools import docs_site
from tools.docs_site import AT_THE_TOP, decisions, main, site_path, stage, staged
from tools.site_links import problems
from tools.site_versions import publish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]


def listed(entries: list[Any]) -> Iterator[str]:
    """Yield the pages of the navigation."""
    for entry in entries:
        for place in entry.values():
            yield from listed(place) if isinstance(place, list) else [place]


def test_the_navigation_lists_every_page_once() -> None:
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    pages |= set(AT_THE_TOP.values())

    found = list(listed(CONFIG["nav"]))

    assert sorted(found) == sorted(pages)


def test_nothing_is_fetched_from_elsewhere() -> None:
    assert CONFIG["theme"]["font"] is False
    assert not {"extra_css", "extra_javascript"} & CONFIG.keys()


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("README.md", "index.md"),
        ("docs/vault.md", "vault.md"),
        ("docs/adr/0001-access-rules.md", "adr/0001-access-rules.md"),
        ("docs/adr", "adr/index.md"),
        ("deploy/nats/accounts.conf", "files/deploy/nats/accounts.conf"),
        (".github/workflows/release.yml", "files/github/workflows/release.yml"),
    ],
)
def test_a_page_keeps_its_name_and_any_other_file_is_a_copy(path: str, place: str) -> None:
    assert site_path(path) == place


@pytest.mark.parametrize(
    ("page", "link", "moved"),
    [
        ("README.md", "docs/vault.md", "vault.md"),
        ("README.md", "docs/vault.md#settings", "vault.md#settings"),
        ("README.md", "docs/adr", "adr/index.md"),
        ("README.md", "SECURITY.md", "security.md"),
        ("docs/vault.md", "../SECURITY.md#who-is-there", "security.md#who-is-there"),
        ("docs/adr/0001-access-rules.md", "../vault.md", "../vault.md"),
        ("docs/adr/0001-access-rules.md", "../../README.md", "../index.md"),
        ("docs/nomad.md", "../LICENSE", "files/LICENSE"),
        ("docs/console.md", "images/console-store-dark.png", "images/console-store-dark.png"),
    ],
)
def test_a_link_leads_to_the_same_page_in_the_site(page: str, link: str, moved: str) -> None:
    text, found = staged(f"See [this]({link}).", page)

    assert text == f"See [this]({moved})."
    assert len(found) == 1


@pytest.mark.parametrize(
    "text",
    ["[a](https://example.com/docs/vault.md)", "[a](#below)", "[a](mailto:a@b.c)", "[a](gone.md)"],
)
def test_other_links_stay_for_the_check_to_find(text: str) -> None:
    assert staged(text, "docs/vault.md") == (text, set())


def test_code_is_left_as_it_is() -> None:
    text = "```md\n[a](../README.md)\n```\n"

    assert staged(text, "docs/vault.md")[0] == text


def test_every_decision_is_listed() -> None:
    page = decisions()

    assert all(f"({path.name})" in page for path in (ROOT / "docs" / "adr").glob("*.md"))


def test_what_pages_link_to_is_put_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docs_site, "STAGE", tmp_path)

    stage()

    assert (tmp_path / "index.md").exists()
    assert (tmp_path / "adr" / "index.md").exists()
    assert (tmp_path / "images" / "console-store-dark.png").exists()
    assert (tmp_path / "files" / "deploy" / "prometheus" / "alerts.yaml").exists()
    assert "(docs/" not in (tmp_path / "index.md").read_text("utf-8")


def test_without_a_folder_nothing_is_built() -> None:
    assert main([]) == 2


def page(site: Path, path: str, body: str) -> None:
    (site / path).parent.mkdir(parents=True, exist_ok=True)
    (site / path).write_text(f"<html><head></head><body>{body}</body></html>", "utf-8")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<a href="../gone/">x</a>', "leads nowhere"),
        ('<a href="../b/#gone">x</a>', "names no heading there"),
        ('<a href="#gone">x</a>', "names no heading there"),
        ('<img src="gone.png">', "is missing"),
        ('<script src="https://cdn.example/x.js"></script>', "fetched from elsewhere"),
        ('<link rel="stylesheet" href="//fonts.example/x.css">', "fetched from elsewhere"),
    ],
)
def test_what_is_wrong_in_a_built_page_is_named(tmp_path: Path, body: str, problem: str) -> None:
    page(tmp_path, "a/index.html", body)
    page(tmp_path, "b/index.html", "")

    (found,) = problems(tmp_path)

    assert found.startswith("a/index.html: ")
    assert problem in found


@pytest.mark.parametrize(
    "body",
    [
        '<a href="../b/#here">x</a>',
        '<a href="../b/index.html">x</a>',
        '<a href="https://example.com/gone">x</a>',
        '<a href="mailto:a@b.c">x</a>',
        '<img src="data:image/png;base64,AA">',
    ],
)
def test_what_is_right_is_not(tmp_path: Path, body: str) -> None:
    page(tmp_path, "a/index.html", body)
    page(tmp_path, "b/index.html", '<h2 id="here">Here</h2>')

    assert problems(tmp_path) == []


def test_versions_stand_side_by_side_and_the_newest_is_the_latest(tmp_path: Path) -> None:
    built, folder = tmp_path / "built", tmp_path / "site"
    built.mkdir()
    folder.mkdir()
    for version in ("0.9.0", "0.10.0", "0.2.0"):
        (built / "index.html").write_text(version, "utf-8")
        publish(built, folder, version)

    listed = json.loads((folder / "versions.json").read_text("utf-8"))

    assert [entry["version"] for entry in listed] == ["0.10.0", "0.9.0", "0.2.0"]
    assert [entry["aliases"] for entry in listed] == [["latest"], [], []]
    assert (folder / "latest" / "index.html").read_text("utf-8") == "0.10.0"
    assert (folder / "0.2.0" / "index.html").read_text("utf-8") == "0.2.0"
    assert 'url=latest/"' in (folder / "index.html").read_text("utf-8")


def test_a_version_that_is_built_again_is_replaced(tmp_path: Path) -> None:
    built, folder = tmp_path / "built", tmp_path / "site"
    folder.mkdir()
    (folder / "1.0.0" / "old").mkdir(parents=True)
    page(built, "index.html", "")

    place = publish(built, folder, "1.0.0")

    assert [path.name for path in place.iterdir()] == ["index.html"]
