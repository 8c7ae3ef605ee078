"""Makers of events and states shared by the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flower.events.event import Event
from flower.state import State

MakeEvent = Callable[..., Event]
MakeState = Callable[..., State]


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def _event(type: str, uuid: str = "t1", at: float = 1.0, clock: int = 0, **fields: Any) -> Event:  # noqa: A002
    hostname = fields.pop("hostname", "gen1@web" if type == "task-sent" else "w1@host")
    received_at = fields.pop("received_at", at)
    uuid = "" if type.startswith("worker-") else uuid
    return Event(type, hostname, at, received_at, uuid=uuid, clock=clock, **fields)


@pytest.fixture(scope="session")
def event() -> MakeEvent:
    """Make an event: `event("task-started", "uuid", at, clock, name=…)`."""
    return _event


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_state(clock: Clock) -> MakeState:
    """Make a State whose clocks are the `clock` fixture."""

    def make(**options: Any) -> State:
        return State(now=clock, monotonic=clock, **options)

    return make


@pytest.fixture
def state(make_state: MakeState) -> State:
    return make_state()
