"""Answers of workers reach the state: in small pieces, and only whole ones correct what is prefetched."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flower.app.roll_call import RollCall
from flower.events.event import Event
from flower.state import State


def info(uuid: str, name: str = "shop.pay") -> dict[str, Any]:
    return {"id": uuid, "name": name, "args": [], "kwargs": {}, "time_start": 1_700_000_000.0}


def heard(state: State, *hostnames: str) -> None:
    state.apply([Event("worker-heartbeat", hostname, 1.0) for hostname in hostnames])


def answered(state: State, **replies: dict[str, Any]) -> None:
    roll_call = RollCall(state)
    heard(state, "w1", "w2")
    asyncio.run(roll_call.answered(replies, roll_call.asking()))


def received(state: State, *uuids: str, name: str = "shop.pay") -> None:
    state.apply([Event("task-received", "w1", 1.0, uuid=uuid, clock=1, name=name) for uuid in uuids])


def waiting(state: State) -> set[str]:
    return {uuid for uuid, record in state.tasks.kept().items() if record.waiting is not None}


def test_every_list_of_every_worker_is_merged() -> None:
    state = State()
    answered(
        state,
        w1={"active": [info("a")], "reserved": [info("b")], "scheduled": [{"eta": "2030", "request": info("c")}]},
        w2={"active": [info("d"), 5, {}], "reserved": "nonsense"},
    )
    states = {uuid: (record.state, record.worker) for uuid, record in state.tasks.kept().items()}
    assert states == {"a": ("STARTED", "w1"), "b": ("RECEIVED", "w1"), "c": ("RECEIVED", "w1"), "d": ("STARTED", "w2")}
    assert waiting(state) == {"b"}


def test_of_a_worker_that_sends_no_events_nothing_is_listed() -> None:
    """Nobody would ever tell of the end."""
    state = State()
    answered(state, w3={"active": [info("a")], "reserved": [], "scheduled": []})
    assert len(state.tasks) == 0


def test_what_a_worker_does_not_hold_is_no_longer_prefetched() -> None:
    """R44"""
    state = State()
    received(state, "a", "b", "c", "d")
    answered(state, w1={"active": [info("a")], "reserved": [info("b")], "scheduled": [{"request": info("c")}]})
    assert waiting(state) == {"b", "c"}


@pytest.mark.parametrize(
    "reply",
    [
        {},
        {"active": [], "reserved": []},
        {"active": [], "reserved": [], "scheduled": {"error": "x"}},
        {"active": [], "reserved": [info(f"r{n}") for n in range(1000)], "scheduled": []},
        {"active": [], "reserved": [], "scheduled": [], "registered": ["shop.pay [rate_limit=10/m]"]},
    ],
)
def test_an_answer_that_may_not_tell_all_takes_nothing_away(reply: dict[str, Any]) -> None:
    state = State()
    received(state, "a")
    answered(state, w1=reply)
    assert "a" in waiting(state)


def test_long_lists_leave_the_loop_room_for_others() -> None:
    state = State()
    turns = 0

    async def scenario() -> None:
        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.ensure_future(count())
        roll_call = RollCall(state)
        heard(state, "w1")
        lists = {"active": [info(f"t{n}") for n in range(900)], "reserved": [], "scheduled": []}
        await roll_call.answered({"w1": lists}, roll_call.asking())
        counting.cancel()

    asyncio.run(scenario())
    assert len(state.tasks) == 900
    assert turns > 900 / 100
