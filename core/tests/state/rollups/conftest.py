"""A state whose wall and monotonic clocks are moved by hand, together or apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flower.events.event import Event
from flower.state import State
from flower_plugins import Gap

BEGAN = 1_800_000_000.0
"""A multiple of an hour, plus nothing."""


class Machine:
    """A state, its clocks and its gaps; `pass_time` ticks every second as the loop does."""

    def __init__(self, **options: Any) -> None:
        self.wall, self.mono = BEGAN, 1000.0
        self.gaps: list[Gap] = []
        self.listening = True
        self.state = State(now=lambda: self.wall, monotonic=lambda: self.mono, gaps=lambda: self.gaps, **options)
        self.rollups = self.state.rollups
        self._number = 0
        self.state.tick(listening=True)

    def pass_time(self, seconds: int, *, tick: int = 1) -> None:
        for _ in range(seconds // tick):
            self.wall += tick
            self.mono += tick
            self.state.tick(listening=self.listening)

    def see(self, kind: str, *, number: int = 1, **fields: Any) -> None:
        """Apply events of tasks of their own."""
        fields = {"hostname": "gen1@web" if kind == "task-sent" else "w1@shop", "name": "shop.pay", **fields}
        events = []
        for _ in range(number):
            self._number += 1
            events.append(Event(kind, timestamp=self.wall, received_at=self.wall, uuid=f"t{self._number}", **fields))
        self.state.apply(events)

    def run(self, *, wait: float = 0.0, runtime: float = 1.0, sent: float | None = None, **fields: Any) -> str:
        """Apply one task's life, which ends now."""
        self._number += 1
        uuid, end = f"t{self._number}", self.wall
        own = {"hostname": "w1@shop", "uuid": uuid, "received_at": end}
        started = end - runtime
        life = [
            Event("task-received", timestamp=started - wait, name=fields.pop("name", "shop.pay"), **own, **fields),
            Event("task-started", timestamp=started, **own),
            Event("task-succeeded", timestamp=end, runtime=runtime, **own),
        ]
        if sent is not None:
            client = {**own, "hostname": "gen1@web"}
            life.insert(0, Event("task-sent", timestamp=started - sent, name="shop.pay", queue="mail", **client))
        self.state.apply(life)
        return uuid


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture(scope="session")
def make_machine() -> Callable[..., Machine]:
    return Machine
