from __future__ import annotations

import re
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

from flower.state.search import parse
from flower.state.tasks import TaskRecord
from flower_plugins import QueryError

PAGE = (Path(__file__).parents[3] / "docs" / "search.md").read_text(encoding="utf-8")
EXAMPLES = [
    example
    for line in PAGE.splitlines()
    if line.startswith("| `") and line != "| write | to find tasks |"
    for example in re.findall(r"`([^`]+)`", line.split(" | ")[0])
]


def at(*moment: int) -> float:
    return datetime(*moment, tzinfo=timezone.utc).timestamp()  # type: ignore[misc, arg-type]


MAIL = TaskRecord(
    "227b",
    state="FAILURE",
    name="send_email",
    worker="w1",
    args="(5, 'hello world', '-5', 'NOT')",
    kwargs="{'label': 'some value'}",
    result="too late",
    queue="mail",
    exception="timeout",
    traceback="line 5",
    root_id="227b",
    parent_id="227b",
    retries=2,
    runtime=2.0,
    received=at(2026, 1, 31, 12),
    started=at(2026, 1, 31, 12),
)
OTHER = TaskRecord(
    "x", state="SUCCESS", name="invoice", args="('email',)", retries=0, runtime=0.1, received=at(2025, 1, 1)
)
RECENT = TaskRecord("y", name="plain")
LOOKING_BACK = {"age:<5m": 60.0, "age:1h..2d": 7200.0}


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_page_can_be_read_and_tells_tasks_apart(example: str) -> None:
    search = parse(example)
    if example in LOOKING_BACK:
        RECENT.received = time.time() - LOOKING_BACK[example]
    found = [record.uuid for record in (MAIL, OTHER, RECENT) if search.matches(record, lambda record: record is OTHER)]
    assert 0 < len(found) < 3


def test_the_page_has_examples_for_every_qualifier() -> None:
    assert len(EXAMPLES) > 30


def test_the_error_on_the_page_is_what_one_gets() -> None:
    with pytest.raises(QueryError) as caught:
        parse("abc retries:x")
    assert caught.value.message in PAGE
