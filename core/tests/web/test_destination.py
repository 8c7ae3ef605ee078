"""S27: after a login one is where one wanted to be, on this server."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from flower.web.destination import destination

ORIGIN = ("http", "flower.test", 80)
HOSTILE = json.loads(Path(__file__).with_name("hostile_destinations.json").read_text(encoding="ascii"))


def whatwg(location: str) -> tuple[str, str, int]:
    """Return the origin a browser goes to from http://flower.test/login, by the URL Standard's parser."""
    text = re.sub("[\t\n\r]", "", location.strip("".join(map(chr, range(0x21)))))
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text)
    if scheme:
        return (scheme.group().lower(), "somewhere", 0)
    text = re.split(r"[?#]", text, maxsplit=1)[0].replace("\\", "/")
    return ("http", "elsewhere", 0) if text.startswith("//") else ORIGIN


@pytest.mark.parametrize("prefix", ["", "/a/b"])
def test_no_value_leads_to_another_site(prefix: str) -> None:
    """S27"""
    assert len(set(HOSTILE)) > 400
    for value in [*HOSTILE, "/" * 5000, "/" + "a" * 5000]:
        for text in (value, prefix + value, unquote(value)):
            found = destination(text, prefix)
            assert whatwg(found) == ORIGIN, (text, found)
            assert found.startswith(prefix + "/"), (text, found)
            assert re.fullmatch(r"[\x21-\x7e]+", found), (text, found)
            assert not re.search(r"(^|/)\.\.?(/|$)", unquote(re.split("[?#]", found)[0])), (text, found)


def test_the_parser_that_judges_knows_a_foreign_site() -> None:
    for text in ("//evil.example", "/\\evil.example", "\t/\n/evil.example", "https:evil.example", "\\\\evil.example"):
        assert whatwg(text) != ORIGIN


@pytest.mark.parametrize(
    "text",
    [
        "/",
        "/tasks?a=1&b=2",
        "/tasks?search=a%26b%20c&sort=-received#top",
        "/task/4f3c-1",
        "/worker/w1@host:1",
        "/tasks?search=state:FAILURE+NOT+x",
        "/task/a%2Fb",
        "/tasks?x=%F0%9F%8C%B8",
        "/tasks/?next=//evil.example",
    ],
)
@pytest.mark.parametrize("prefix", ["", "/flower"])
def test_a_deep_link_stays_as_it_is_byte_for_byte(prefix: str, text: str) -> None:
    """S27"""
    assert destination(prefix + text, prefix) == prefix + text


def test_another_prefix_is_another_place() -> None:
    assert destination("/other/tasks", "/flower") == "/flower/"
    assert destination("/flowers/tasks", "/flower") == "/flower/"
    assert destination("/flower/login?next=/flower/login", "/flower") == "/flower/"
    assert destination("/flower", "/flower") == "/flower/"


def test_what_is_not_ascii_is_written_as_a_location_can_hold_it() -> None:
    assert destination("/tasks?search=ä", "") == "/tasks?search=%C3%A4"
