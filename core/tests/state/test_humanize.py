from __future__ import annotations

from datetime import timezone
from time import time
from typing import Any

import pytest

from flower.utils.template import format_count, format_duration, format_time, humanize

UUID = "227baca5-7ac4-4b5e-9a0c-0123456789ab"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, ""),
        ("broker_use_ssl", "Broker use SSL"),
        ("soft-time_limit", "Soft time limit"),
        ("retained", "Retained"),
        ("beta", "Beta"),
        ("eta", "ETA"),
        ("broker_url", "Broker URL"),
        ("args", "args"),
        ("kwargs", "kwargs"),
        ("", ""),
        (UUID, UUID),
        ([1, "a", 2.5], "1, a, 2.5"),
        ((1, 2), "1, 2"),
        ([{"a": 1}], [{"a": 1}]),
        (5, 5),
        ({"a_b": 1}, {"a_b": 1}),
    ],
)
def test_labels_and_lists(given: Any, words: Any) -> None:
    assert humanize(given) == words


@pytest.mark.parametrize(
    ("given", "length", "cut"),
    [
        ("abcdefghijk", 10, "abcdefghi…"),
        ("abcdefghij", 10, "abcdefghij"),
        ("[-1, 'a_b']", 20, "[-1, 'a_b']"),
        (None, 10, ""),
        ({"a": "x" * 50}, 10, "{'a': 'xx…"),
        ({"a": 1}, 10, {"a": 1}),
        ([1, 2, 3], 5, "1, 2…"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
        (123456, 3, "12…"),
    ],
)
def test_length_cuts_data_and_leaves_its_text_alone(given: Any, length: int, cut: Any) -> None:
    assert humanize(given, length=length) == cut


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.00 ms"),
        (0.123456, "123.46 ms"),
        (1.5, "1.50 s"),
        (59.999, "60.00 s"),
        (125, "2m 05s"),
        (3723.9, "1h 02m 03s"),
        (None, ""),
        (float("nan"), ""),
        ("x", ""),
    ],
)
def test_durations(seconds: Any, text: str) -> None:
    assert format_duration(seconds) == text
    if seconds is not None:
        assert humanize(seconds, type="duration") == text


@pytest.mark.parametrize(
    ("timestamp", "zone", "text"),
    [
        (1795330010.25, "", "2026-11-22 06:46:50.250000 UTC"),
        (1795330010.25, "Europe/Berlin", "2026-11-22 07:46:50.250000 CET"),
        (1795330010.25, "Nowhere/Land", "2026-11-22 06:46:50.250000 UTC"),
        (1795330010.25, "../../etc/passwd", "2026-11-22 06:46:50.250000 UTC"),
        (0, "", ""),
        ("", "", ""),
        (None, "", ""),
        (1e20, "", ""),
        (float("inf"), "", ""),
    ],
)
def test_times(timestamp: Any, zone: str, text: str) -> None:
    assert format_time(timestamp, zone) == text
    assert humanize(timestamp, type=f"time-{zone}" if zone else "time") == text


def test_times_take_a_zone_object() -> None:
    assert format_time(1.5, timezone.utc) == "1970-01-01 00:00:01.500000 UTC"


@pytest.mark.parametrize(
    ("age", "text"),
    [(0.5, "now"), (1.5, "1 second ago"), (40.5, "40 seconds ago"), (119, "1 minute ago"), (7300, "2 hours ago")],
)
def test_natural_times_of_the_last_day(age: float, text: str) -> None:
    assert humanize(time() - age, type="natural-time-Europe/Berlin") == text


def test_natural_times_before_that_are_written_out() -> None:
    assert humanize(1795330010.25 - 10**8, type="natural-time").endswith("UTC")
    assert humanize(0, type="natural-time") == ""


@pytest.mark.parametrize(("count", "text"), [(None, "0"), (0, "0"), (1234567, "1,234,567")])
def test_counts(count: int | None, text: str) -> None:
    assert format_count(count) == text
