"""Every route of the API, asked of Flower 2.2.0 and of ours: the same answer, or a difference that is meant."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.compat import orders, reads
from tests.compat.pair import Pair, Reply, launch_pair, run_tasks
from tests.compat.rows import ANYTHING, Difference
from tests.system.support import Launcher, Room

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def pair(launch_once: Launcher, quiet_room: Room, peer_program: Path) -> Pair:
    """Return both after tasks of every fate, each having asked the worker about itself."""
    made = launch_pair(launch_once, quiet_room, peer_program)
    run_tasks(made, launch_once, quiet_room)
    made.ask("GET /api/workers?refresh=1&workername=w1@test")
    return made


@pytest.mark.parametrize("line", [*reads.SAME, *orders.SAME])
def test_what_worked_with_flower_2_works_the_same(pair: Pair, line: str) -> None:
    extra = next((keys for beginning, keys in reads.EXTRA.items() if line.startswith(beginning)), frozenset())

    def differences() -> list[str]:
        found = pair.contrast(line, extra)
        return [each for each in found if not any(re.search(pattern, f"{line} {each}") for pattern, _ in reads.VALUES)]

    found = differences()
    if found and "refresh=1" in line:  # the worker may have told the second one something newer
        found = differences()
    assert found == []


@pytest.mark.parametrize(("pattern", "why"), reads.VALUES)
def test_a_value_that_is_meant_to_differ_does(pair: Pair, pattern: str, why: str) -> None:
    lines = ("GET /api/tasks", "GET /api/task/info/{sent}", "GET /api/workers", "GET /workers?json=1")
    found = [f"{line} {each}" for line in lines for each in pair.contrast(line)]
    assert any(re.search(pattern, each) for each in found), why


@pytest.mark.parametrize("row", [*reads.DIFFERENT, *orders.DIFFERENT], ids=lambda row: row.line)
def test_what_differs_is_meant_to(pair: Pair, row: Difference) -> None:
    ours, theirs = pair.ask(row.line)
    assert ours != theirs
    assert fits(theirs, row.theirs), (theirs.status, theirs.body)
    assert fits(ours, row.ours), (ours.status, ours.body)


def test_a_closed_api_refuses_alike(launch: Launcher, quiet_room: Room, peer_program: Path) -> None:
    closed = {"FLOWER_UNAUTHENTICATED_API": "false"}
    made = launch_pair(launch, quiet_room, peer_program, env=closed)
    for line in [*reads.CLOSED, *orders.CLOSED]:
        ours, theirs = made.ask(line)
        assert ours == theirs, line
        assert ours.status == 401, line


def test_read_only_mode_refuses_alike(launch: Launcher, quiet_room: Room, peer_program: Path) -> None:
    made = launch_pair(launch, quiet_room, peer_program, "--read_only")
    for line in orders.READ_ONLY:
        ours, theirs = made.ask(line)
        assert ours == theirs, line
        assert ours.status == 403, line


def test_an_outage_is_told_and_what_is_in_memory_is_still_read(launch: Launcher, peer_program: Path) -> None:
    made = launch_pair(launch, Room("redis://127.0.0.1:1/0", "redis://127.0.0.1:1/0"), peer_program)
    for row in reads.WITHOUT_A_BROKER:
        ours, theirs = made.ask(row.line)
        assert fits(theirs, row.theirs), (theirs.status, theirs.body)
        assert fits(ours, row.ours), (ours.status, ours.body)
    for line in orders.WITHOUT_A_BROKER:
        ours, theirs = made.ask(line)
        assert ours == theirs, line
        assert ours.status == 503, line
    for line in ("GET /api/tasks", "GET /api/task/types", "GET /api/workers", "GET /api/workers?status=1"):
        assert made.contrast(line) == []


def fits(reply: Reply, expected: tuple[int, Any]) -> bool:
    status, body = expected
    if reply.status != status:
        return False
    if isinstance(body, list):
        return isinstance(reply.body, dict) and reply.keys == body
    return body is ANYTHING or bool(reply.body == body)
