"""S31: failed logins are counted, and recorded without filling the log."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from flower.web.failures import LoginFailures


class Clock:
    """Time that passes when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(name="outcomes")
def _outcomes(caplog: pytest.LogCaptureFixture) -> Any:
    caplog.set_level(logging.INFO, "flower.audit")
    return lambda: [json.loads(record.getMessage())["outcome"] for record in caplog.records]


def note(failures: LoginFailures, times: int, **more: Any) -> None:
    for _ in range(times):
        failures.note("basic", address="203.0.113.7", method="GET", target="/tasks", **more)


def test_a_flood_leaves_ten_records_a_second_and_the_next_says_how_many_are_missing(outcomes: Any) -> None:
    clock = Clock()
    failures = LoginFailures(clock=clock)
    note(failures, 1000)
    assert outcomes() == ["refused: login by basic failed"] * 10
    clock.now = 1.0
    note(failures, 2)
    assert outcomes()[10:] == [
        "refused: login by basic failed, and 990 more since the record before",
        "refused: login by basic failed",
    ]
    assert failures.counts == {"basic": 1002}


def test_what_is_recorded_elsewhere_is_counted_alone(outcomes: Any) -> None:
    failures = LoginFailures(["basic", "github"])
    note(failures, 3, recorded=True)
    assert outcomes() == []
    assert failures.counts == {"basic": 3, "github": 0}


def test_a_record_tells_where_from_and_not_which_name(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "flower.audit")
    note(LoginFailures(), 1)
    (record,) = caplog.records
    fields = json.loads(record.getMessage())
    assert (fields["identity"], fields["address"], fields["action"], fields["target"]) == (
        "",
        "203.0.113.7",
        "login",
        "/tasks",
    )
