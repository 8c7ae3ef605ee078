"""What is kept of a worker's reply."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest

from flower.control.replies import clean, clean_text


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"a": [1, 2.5, "x", None, True]}, {"a": [1, 2.5, "x", None, True]}),
        (float("nan"), None),
        ([float("inf"), float("-inf")], [None, None]),
        ("a\ud800b", "a?b"),
        ({"\ud800": 1}, {"?": 1}),
        ({1: 2, None: 3, 1.5: 4}, {"1": 2, "None": 3, "1.5": 4}),
        (b"a\xff", "a\ufffd"),
        ((1, 2), [1, 2]),
        (2**200, None),
        ({2**200: 1}, {"?": 1}),
        (datetime(2026, 1, 2, tzinfo=timezone.utc), "2026-01-02T00:00:00+00:00"),
        (object, "<type>"),
    ],
)
def test_a_value_becomes_plain_json(value: Any, kept: Any) -> None:
    assert clean(value) == kept
    json.dumps(clean(value), allow_nan=False).encode()


def test_a_number_too_long_to_be_written_is_left_out() -> None:
    assert clean({10**5000: 10**5000}) == {"?": None}


def test_deep_nesting_is_cut() -> None:
    value: Any = "bottom"
    for _ in range(500):
        value = {"a": [value]}
    text = json.dumps(clean(value))
    assert len(text) < 200
    assert "bottom" not in text


def test_size_is_bounded() -> None:
    assert len(clean("x" * 1_000_000)) == 65_536
    assert len(json.dumps(clean(["x" * 60_000] * 200))) < 4_200_000
    assert len(clean(list(range(200_000)))) < 50_001


@pytest.mark.parametrize(
    ("text", "line"),
    [("a\r\nb\x1b[31m", "a b [31m"), ("x" * 900, "x" * 500), ("\u2028 a", "a"), ("a\ud800", "a?")],
)
def test_a_text_for_the_user_is_one_printable_line(text: str, line: str) -> None:
    """S52."""
    assert clean_text(text) == line
