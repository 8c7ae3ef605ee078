from __future__ import annotations

import re

import pytest

from flower_plugins import PluginReport

REPORTS = [
    PluginReport("api", "flower-api", "3.0.0", "active", "", ["flower_routes", "flower_options"]),
    PluginReport("zebra", "acme-zebra", "1.2", "failed", "ImportError: no slack"),
    PluginReport("Broken", "acme", "0.1", "failed", "flower_routes raised <x-evil>"),
    PluginReport("shy", "acme-shy", "2.0", "active", "'/tasks' is already taken by dashboard", ["flower_routes"]),
    PluginReport("off", "acme-off", "", "disabled", "switched off by --disable-plugin"),
    PluginReport("odd", "", "", "sleeping"),
]


@pytest.fixture
def page(site):
    made = site()
    made.host.plugin_reports = REPORTS
    return made.page("/plugins")


def test_what_needs_somebody_comes_first(page):
    names = re.findall(r'scope="row" class="primary">(.*?)</th>', page.html)
    assert names == ["Broken", "zebra", "shy", "api", "off", "odd"]


@pytest.mark.parametrize(
    ("name", "icon", "word", "told"),
    [
        ("zebra", "cross", "Failed", "ImportError: no slack acme-zebra 1.2 \u2013 none"),
        ("Broken", "cross", "Failed", "flower_routes raised <x-evil> acme 0.1"),
        ("shy", "alert", "Active in part", "'/tasks' is already taken by dashboard acme-shy 2.0 routes"),
        ("api", "check", "Active", "flower-api 3.0.0 routes options"),
        ("off", "pause", "Switched off", "switched off by --disable-plugin acme-off \u2013 none"),
        ("odd", "question", "Sleeping", "\u2013 none \u2013 none \u2013 none"),
    ],
)
def test_a_plugin_has_state_error_package_version_and_hooks(page, parse, name, icon, word, told):
    (row,) = re.findall(rf'(?s)<tr role="row" class="plugin-\w+">\s*<th[^>]*>{name}</th>.*?</tr>', page.html)
    assert f"icons.svg#{icon}" in row
    assert parse(row).text.startswith(f"{name} {word} {told}")
    assert "<x-evil>" not in row


def test_hooks_are_named_in_full_for_who_looks_closer(page):
    assert page.find("code", title="flower_options")


def test_the_head_counts_plugins_by_state(page):
    assert "Plugins Failed 2 Active in part 1 Active 1 Switched off 1 Sleeping 1" in page.text


def test_without_plugins_the_page_says_how_they_come(site):
    assert "No plugin was found" in site().page("/plugins").text
