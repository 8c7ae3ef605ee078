"""In churn nothing stays, and what comes and goes is what the soak says it is."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any

import pytest
from tests.bench.churn import STAYING, TASKS_PER_WORKER, Churn, churned_worker

TURNS = 600


@pytest.fixture(scope="module")
def churn() -> Churn:
    return Churn()


@pytest.fixture(scope="module")
def events(churn: Churn) -> list[dict[str, Any]]:
    """Return the events of some turns, after the early ones."""
    following = iter(churn)
    early = [event for event in islice(following, 20_000) if event["hostname"].startswith("early-")]
    assert len(early) == 20_000
    found: list[dict[str, Any]] = []
    while churn.tasks < TURNS * TASKS_PER_WORKER:
        found.append(next(following))
    return found


def test_the_same_comes_in_every_run(events: list[dict[str, Any]]) -> None:
    again = list(islice(iter(Churn()), 20_000, 21_000))
    assert [without_time(event) for event in again] == [without_time(event) for event in events[:1000]]


def without_time(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key != "timestamp"}


def test_a_turn_has_about_a_hundred_events(events: list[dict[str, Any]]) -> None:
    assert 90 < len(events) / TURNS < 110


def test_workers_come_go_with_a_farewell_or_without_and_some_return(events: list[dict[str, Any]]) -> None:
    online = Counter(event["hostname"] for event in events if event["type"] == "worker-online")
    offline = {event["hostname"] for event in events if event["type"] == "worker-offline"}
    assert len(online) == TURNS
    returned = [name for name, times in online.items() if times == 2]
    assert returned == [churned_worker(number) for number in range(9, TURNS - 500, 10)]
    assert 200 < len(offline) < 400


def test_names_states_clients_and_tracebacks_are_ever_new(events: list[dict[str, Any]]) -> None:
    assert len({event["name"] for event in events if "name" in event}) > TURNS
    assert len({event["type"] for event in events}) > TURNS - 5
    assert len({event["hostname"] for event in events if event["type"] == "task-sent"}) > TURNS - 5
    sizes = [len(event["traceback"]) for event in events if "traceback" in event]
    assert min(sizes) < 1000
    assert max(sizes) > 10_000


def test_children_come_after_their_parents_but_for_those_nobody_hears_of(events: list[dict[str, Any]]) -> None:
    known: set[str] = set()
    unheard = 0
    for event in events:
        parent = event.get("parent_id")
        if parent is not None and parent not in known:
            assert parent.startswith("unheard-")
            unheard += 1
        known.add(event.get("uuid", ""))
    assert unheard > TURNS


def test_some_stay(events: list[dict[str, Any]]) -> None:
    assert set(STAYING) < {event["hostname"] for event in events[-1000:]}
