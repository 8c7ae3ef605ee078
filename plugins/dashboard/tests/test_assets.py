from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

import flower_dashboard

ROOT = Path(flower_dashboard.__file__).parent
STATIC = ROOT / "static"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((STATIC / "js").glob("*.js"))
SINKS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|createContextualFragment"
)


def test_vendored_files_are_those_of_the_manifest():
    """BAR S67."""
    vendor = STATIC / "vendor"
    entries = json.loads((vendor / "manifest.json").read_text())["files"]
    for entry in entries:
        assert hashlib.sha256((vendor / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
        assert entry["version"]
        assert entry["source"].startswith("npm:")
        assert (vendor / f"{entry['name']}.LICENSE.txt").read_text()
    assert {path.name for path in vendor.glob("*.js")} == {entry["file"] for entry in entries}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_make_no_markup_of_text(path):
    """BAR S15: the one place that parses is patch.js, and what it parses this server rendered."""
    source = path.read_text()
    assert not SINKS.search(source)
    assert ("DOMParser" in source) == (path.name == "patch.js")
    assert not re.search(r"https?://", source)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_have_nothing_inline_and_nothing_unescaped(path):
    """BAR S10."""
    source = path.read_text()
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:|https?://", source)
    assert not re.search(r"\|\s*safe\b|autoescape|Markup", source)
    assert all(" src=" in tag for tag in re.findall(r"<script[^>]*>", source))


@pytest.mark.parametrize("path", sorted((STATIC / "css").glob("*.css")), ids=lambda path: path.name)
def test_colours_come_from_the_tokens(path):
    source = path.read_text()
    assert not re.search(r"@import|url\(", source)
    if path.name != "tokens.css":
        assert not re.search(r"#[0-9a-f]{3,8}\b|rgb\(", source)


def test_a_page_loads_the_styles_it_wears_and_no_more(site):
    made, frame = site(), ["tokens", "base", "frame", "controls", "parts", "tables"]
    own = {
        "/": ["charts", "overview"],
        "/task-types": ["charts"],
        "/broker": ["charts"],
        "/workers": ["workers"],
        "/worker/w1@shop": ["charts", "workers"],
        "/tasks": ["tasks"],
        "/task/a": ["task"],
        "/plugins": [],
    }
    worn = set()
    for path, more in own.items():
        links = made.page(path).find("link", rel="stylesheet")
        names = [Path(link["href"].partition("?")[0]).stem for link in links]
        assert names == frame + more, path
        worn |= set(names)
    assert worn == {path.stem for path in (STATIC / "css").glob("*.css")}


def test_every_icon_that_is_used_exists():
    symbols = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    used = set()
    for path in TEMPLATES:
        used |= set(re.findall(r'ui\.icon\("([\w-]+)"', path.read_text()))
    python = "".join(path.read_text() for path in ROOT.rglob("*.py"))
    used |= set(re.findall(r'"(?:ok|bad|run|warn|idle)", "([\w-]+)"', python))
    assert used
    assert used | {"sort-none", "sort-ascending", "sort-descending"} <= symbols


@pytest.mark.parametrize("path", ["/", "/tasks", "/task/a", "/worker/w1@shop", "/plugins", "/tasks?offset=9"])
def test_all_links_stay_under_the_url_prefix(site, path):
    page = site(url_prefix="/flower").page(f"/flower{path}")
    for _, attributes in page.elements:
        for name in ("href", "src", "action", "formaction", "data-stream", "data-tasks", "data-workers"):
            value = attributes.get(name)
            assert value is None or value.startswith(("/flower/", "#")), (name, value)


@pytest.mark.parametrize("path", ["/", "/tasks", "/task/a", "/worker/w1@shop", "/plugins"])
def test_every_page_has_the_frame_that_readers_need(site, path):
    page = site().page(path)
    assert page.find("a", **{"class": "skip-link", "href": "#main"})
    assert len(page.find("main")) == len(page.find("h1")) == 1
    assert len([a for a in page.find("a") if a.get("aria-current") == "page"]) == 1
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert re.search(r"<title>[^<]+ · Flower</title>", page.html)


def test_the_header_tells_how_fresh_the_picture_is(site):
    """BAR R24."""
    from flower_plugins import Banner, Gap

    made = site()
    assert page_word(made) == "Live"
    made.host.status.dropped = {"full": 1200}
    assert page_word(made) == "Incomplete 1,200 dropped"
    made.host.status.up, made.host.status.reason = False, "Connection refused"
    made.host.status.gap_list = [Gap(1_700_000_000.0, None, "lost")]
    made.host.banner_list = [Banner("warning", "Events missing 07:41-07:43")]
    text = made.page("/").text
    assert "Lost since" in text
    assert "Connection refused" in text
    assert "Events missing 07:41-07:43" in text


def page_word(made):
    """The header's summary of the stream, in words."""
    summary = made.page("/").html.split("<summary")[1].split("</summary>")[0].split("</svg>")[1]
    return re.sub(r"<[^>]+>", "", summary).strip()
