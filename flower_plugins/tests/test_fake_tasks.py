from __future__ import annotations

import asyncio

import pytest

from flower_plugins import Page, QueryError, TaskQuery
from flower_plugins.testing import FakeTask, FakeTasks, FakeWorker, FakeWorkers

TASKS = FakeTasks([FakeTask(f"t{n}", received=float(n)) for n in range(5)])


def ask(**query: object) -> Page:
    return asyncio.run(TASKS.query(TaskQuery(**query)))  # type: ignore[arg-type]


def test_cursors_lead_from_page_to_page() -> None:
    first = ask(limit=2)
    second = ask(limit=2, after=first.next)
    last = ask(limit=2, after=second.next)
    assert [[row.uuid for row in page.rows] for page in (first, second, last)] == [["t4", "t3"], ["t2", "t1"], ["t0"]]
    assert (last.next, last.matching, ask(limit=None).next) == ("", 5, "")


def test_a_foreign_cursor_is_refused() -> None:
    with pytest.raises(QueryError, match="cursor"):
        ask(after="nonsense")


def test_purged_workers_are_listed_when_asked_for() -> None:
    workers = FakeWorkers([FakeWorker("a@h"), FakeWorker("b@h")])
    workers.hidden.add("b@h")
    assert [worker.hostname for worker in workers.all()] == ["a@h"]
    assert [worker.hostname for worker in workers.all(purged=True)] == ["a@h", "b@h"]
