from __future__ import annotations

import json

import pytest

from flower_dashboard.formats import Clock, count, duration, label, moment, plain, rough, short, text, visible, whole

WHEN = 1_700_000_000.5


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0.00 ms"),
        (0.12346, "123.46 ms"),
        (1.5, "1.50 s"),
        (59.999, "60.00 s"),
        (125, "2m 05s"),
        (3723, "1h 02m 03s"),
        (-0.5, "-500.00 ms"),
        (None, ""),
        ("2s", ""),
        (float("nan"), ""),
        (True, ""),
        ([1], ""),
    ],
)
def test_durations(value, words):
    assert duration(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0.00 ms"),
        (0.59211, "592 ms"),
        (0.00512, "5.12 ms"),
        (0.9996, "1.00 s"),
        (12.48, "12.5 s"),
        (59.97, "1m 00s"),
        (125, "2m 05s"),
        (-0.5, "-500 ms"),
        (None, ""),
        (float("inf"), ""),
    ],
)
def test_estimates_have_three_digits(value, words):
    assert rough(value) == words


@pytest.mark.parametrize(("value", "words"), [(1234567, "1,234,567"), (None, "0"), ("many", "many"), (3.9, "3")])
def test_counts(value, words):
    assert count(value) == words


def test_times_are_written_in_the_zone_of_the_app():
    clock = Clock("UTC")
    assert clock.iso(WHEN) == "2023-11-14T22:13:20.500+00:00"
    assert clock.absolute(WHEN) == "2023-11-14 22:13:20.500000 UTC"
    assert (clock.day(WHEN), clock.time(WHEN)) == ("2023-11-14", "22:13:20.500")


@pytest.mark.parametrize("value", ["yesterday", None, float("inf"), 1e20, -1e20, 10**400, [1], {}, True])
def test_what_is_no_time_is_never_an_error(value):
    clock = Clock("No/Such zone")
    assert clock.iso(value) == clock.day(value) == clock.time(value) == ""
    assert clock.absolute(value) == text(value) == clock.ago(value, WHEN)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "now"), (1, "1 second ago"), (130, "2 minutes ago"), (7200, "2 hours ago"), (-90, "in 1 minute")],
)
def test_ages(seconds, words):
    assert Clock("UTC").ago(WHEN - seconds, WHEN) == words


def test_beyond_a_day_an_age_is_a_date():
    assert Clock("UTC").ago(WHEN - 90_000, WHEN) == "2023-11-13 21:13:20"


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, ""), ("a", "a"), ([1, "b"], "1, b"), ({"a": [1]}, '{"a": [1]}'), ([[1]], "[[1]]"), (b"x", "b'x'")],
)
def test_texts(value, words):
    assert text(value) == words


@pytest.mark.parametrize(
    ("key", "words"),
    [("max-tasks-per-child", "Max tasks per child"), ("worker_pid", "Worker PID"), ("retained", "Retained"), ("", "")],
)
def test_labels_change_whole_words_only(key, words):
    assert label(key) == words


def test_plain_values_are_strict_json():
    loop: list[object] = []
    loop.append(loop)
    value = {"nan": float("nan"), "inf": float("-inf"), 1: {2}, "odd": object, "loop": loop, "ok": [1, "é", None]}
    answer = json.loads(json.dumps(plain(value), allow_nan=False))
    assert answer["nan"] is answer["inf"] is None
    assert answer["1"] == [2]
    assert answer["ok"] == [1, "é", None]


def test_identifiers_and_whole_numbers():
    assert short("0123456789") == "01234567"
    assert [whole(value) for value in (3, 3.7, "3", None, float("nan"))] == [3, 3, 0, 0, 0]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("plain", "plain"),
        ("a\u202eb\u2069", "a\\u202eb\\u2069"),
        ("שלום\u200f é", "שלום\u200f é"),
        (None, ""),
        (7, "7"),
    ],
)
def test_signs_that_would_turn_what_is_around_them_are_spelt_out(value, words):
    assert visible(value) == words


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2023-11-14T22:13:20+00:00", 1_700_000_000),
        ("2023-11-14T22:13:20Z", 1_700_000_000),
        ("2023-11-14T22:13:20", 1_700_000_000),
        ("2023-11-14T23:13:20.500000+01:00", 1_700_000_000.5),
        ("soon", None),
        (None, None),
        (5, None),
    ],
)
def test_points_in_time_in_words(value, seconds):
    assert moment(value) == seconds
