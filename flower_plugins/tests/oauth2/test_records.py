"""What is read out of a provider's JSON."""

from __future__ import annotations

from typing import Any

import pytest

from flower_plugins import ProviderFailed
from flower_plugins.oauth2 import Record, lower_ascii
from flower_plugins.oauth2.records import parse_json

BAD_TEXTS = [None, "", 5, True, [], ["a@b"], {}]


def record(value: Any) -> Record:
    return Record("GitLab's user", {"field": value})


@pytest.mark.parametrize("value", BAD_TEXTS)
def test_a_text_is_a_text_and_not_empty(value: Any) -> None:
    with pytest.raises(ProviderFailed, match="GitLab's user came without a proper 'field'"):
        record(value).text("field")


def test_a_missing_text_is_not_one() -> None:
    with pytest.raises(ProviderFailed):
        record("x").text("other")


@pytest.mark.parametrize("value", [5, True, [], {}])
def test_an_optional_text_is_a_text_or_missing(value: Any) -> None:
    with pytest.raises(ProviderFailed):
        record(value).text_if_any("field")
    assert record(None).text_if_any("field") == ""
    assert record("x").text_if_any("other") == ""
    assert record("x").text_if_any("field") == "x"


@pytest.mark.parametrize("value", [False, None, "true", "True", 1, 1.0, [], [True], {}, "yes"])
def test_nothing_but_true_is_true(value: Any) -> None:
    """S17, S19."""
    assert not record(value).is_true("field")
    assert record(True).is_true("field")


@pytest.mark.parametrize("value", ["ann@example.com", "a.b+c@x.co.uk", "x@localhost", "j\u00fcrgen@example.com"])
def test_an_address_is_returned_as_it_is(value: str) -> None:
    assert record(value).address("field") == value


@pytest.mark.parametrize(
    "value",
    [
        *BAD_TEXTS,
        "ann",
        "@example.com",
        "ann@",
        "a@b@c",
        "ann@example.com\n",
        "a b@example.com",
        "ann@example.com\u200b",
        "ann@example.com\u2028",
        "\ud800@example.com",
        "a\x00@example.com",
        "x" * 65 + "@example.com",
        "ann@" + "x" * 256,
    ],
)
def test_what_is_no_address_is_a_failure_of_the_provider(value: Any) -> None:
    with pytest.raises(ProviderFailed):
        record(value).address("field")


@pytest.mark.parametrize("value", [None, "x", 5, [], [{}]])
def test_an_object_inside_is_an_object(value: Any) -> None:
    with pytest.raises(ProviderFailed):
        record(value).record("field")
    assert record({"a": "b"}).record("field").text("a") == "b"


@pytest.mark.parametrize(
    "body", [b"", b"NaN", b"[Infinity]", b"\xff", b"{", b"[" * 100_000, b'{"a": ' * 100_000, b"1 2"]
)
def test_what_is_no_strict_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(body)


@pytest.mark.parametrize(
    ("text", "lower"),
    [
        ("ABC", "abc"),
        ("a", "a"),
        ("\u212aATE", "\u212aATE"),
        ("\u0130X", "\u0130X"),
        ("STRASSE\u1e9e", "STRASSE\u1e9e"),
    ],
)
def test_only_ascii_is_put_into_lower_case(text: str, lower: str) -> None:
    assert lower_ascii(text) == lower
