"""S21, S22, S23: who `--auth` lets in, and which patterns stop the start."""

from __future__ import annotations

import pytest

from flower.web.pattern import AuthPattern
from flower_plugins import ConfigurationError

EXACT = "me@example.com"
ANY = ".*@example.com"
LIST = "a@x.com|b@y.org"
BETWEEN = "one.*two@x.com"


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        (EXACT, "me@example.com"),
        (EXACT, "me@EXAMPLE.com"),
        ("me@Example.COM", "me@example.com"),
        (ANY, "a@example.com"),
        (ANY, "first.last+tag@example.com"),
        (ANY, "o'brien!#$%&*/=?^_`{|}~-@example.com"),
        (ANY, "A@Example.Com"),
        (r".*@example\.com", "a@example.com"),
        (r".*@corp\.x\.com", "a@corp.x.com"),
        (LIST, "a@x.com"),
        (LIST, "b@y.org"),
        (".*@x.com|b@y.org", "b@y.org"),
        (".*@x.com|b@y.org", "c@x.com"),
        (BETWEEN, "onetwo@x.com"),
        (BETWEEN, "one.and.two@x.com"),
        ("team-.*@x.com", "team-a@x.com"),
        ("a+b@x.com", "a+b@x.com"),
        (r"a\$b@x.com", "a$b@x.com"),
        (r"a\|b@x.com", "a|b@x.com"),
        ("admin", "admin"),
        ("admin|root", "root"),
        ("müller@example.com", "müller@example.com"),
        ("me@localhost", "me@localhost"),
    ],
)
def test_whom_a_pattern_names_gets_in(pattern: str, name: str) -> None:
    """S21, S23"""
    assert AuthPattern(pattern).matches(name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        (EXACT, "ME@example.com"),
        (EXACT, "me@example.com.evil.org"),
        (EXACT, "evil-me@example.com"),
        (EXACT, "xme@example.com"),
        (EXACT, "me@exampleXcom"),
        (EXACT, "meXexample.com"),
        (EXACT, "me@example.com\n"),
        (EXACT, "\nme@example.com"),
        (EXACT, "me@example.com "),
        (EXACT, " me@example.com"),
        (EXACT, "me@example.com\0"),
        (EXACT, "me"),
        (EXACT, ""),
        (EXACT, "@example.com"),
        (EXACT, "me@"),
        (EXACT, "me@@example.com"),
        (ANY, ""),
        (ANY, "@example.com"),
        (ANY, "a@example.com.evil.org"),
        (ANY, "a@evil.org@example.com"),
        (ANY, "a@example.com@example.com"),
        (ANY, '"a@evil.org"@example.com'),
        (ANY, "a@exampleXcom"),
        (ANY, "a@example\u3002com"),
        (ANY, "a@example\uff0ecom"),
        (ANY, "a@example.com\n"),
        (ANY, "a\n@example.com"),
        (ANY, "a b@example.com"),
        (ANY, "a@example.com "),
        (ANY, "a@sub.example.com"),
        (ANY, "a@xexample.com"),
        (ANY, "a@.example.com"),
        (ANY, "ä@example.com"),
        (ANY, "a@example.com."),
        (ANY, "a\0@example.com"),
        (ANY, "a,b@example.com"),
        (ANY, "example.com"),
        (".*@k.com", "a@\u212a.com"),
        (".*@is.com", "a@\u0131s.com"),
        (r".*@example\.com", "a@example\\.com"),
        (LIST, "a@y.org"),
        (LIST, "a@x.com|b@y.org"),
        (LIST, ""),
        (BETWEEN, "one@two@x.com"),
        (BETWEEN, "onetw@x.com"),
        (BETWEEN, "on@x.com"),
        ("aba.*aba@x.com", "aba@x.com"),
        (BETWEEN, "one two@x.com"),
        ("admin", "Admin"),
        ("admin", "admin@example.com"),
        ("admin", ""),
        ("admin", "@admin"),
    ],
)
def test_nobody_else_does(pattern: str, name: str) -> None:
    """S21"""
    assert not AuthPattern(pattern).matches(name)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "|",
        "a@x.com|",
        "|a@x.com",
        "a@x.com||b@x.com",
        " ",
        "a@x.com, b@x.com",
        "a@x.com,b@x.com",
        "a@x.com | b@x.com",
        ".+@x.com",
        ".?@x.com",
        ".{3}@x.com",
        "(a|b)@x.com",
        "[ab]@x.com",
        "*@x.com",
        "**@x.com",
        ".*@x.com$",
        "^.*@x.com",
        ".*",
        ".*example.com",
        ".*@.*",
        "user@.*",
        "a@*.x.com",
        ".*.*@x.com",
        ".*a.*@x.com",
        "a@b@x.com",
        "@x.com",
        "a@",
        "a@x..com",
        "a@.com",
        "a@x.com.",
        r"\w@x.com",
        r"a@x\d.com",
        "a@x.com\\",
        "a?@x.com",
        "a\n@x.com",
        "<a@x.com>",
    ],
)
def test_what_would_match_nobody_or_everybody_stops_the_start(pattern: str) -> None:
    """S22"""
    with pytest.raises(ConfigurationError) as raised:
        AuthPattern(pattern, "auth, command line")
    assert "Invalid '--auth' option" in raised.value.message
    assert ".*@example.com" in raised.value.message
    assert raised.value.where == "auth, command line"


def test_a_long_name_is_judged_at_once() -> None:
    """S64"""
    pattern = AuthPattern("|".join(["a.*b@x.com", ".*aaa@x.com", "aaaa.*@x.com"]))
    assert not pattern.matches("a" * 1_000_000 + "@x.org")
    assert pattern.matches("a" * 1_000_000 + "@x.com")
