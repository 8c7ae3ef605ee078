"""What a worker is doing now, and how its tasks of the last hour ended."""

from __future__ import annotations

import time
from typing import Any

from flower_plugins.testing import FakeTask, FakeWorker

PAGE = "/worker/w1@shop"


def started(uuid: str, ago: float, **more: Any) -> FakeTask:
    return FakeTask(uuid, state="STARTED", started=time.time() - ago, succeeded=None, runtime=None, **more)


def usual(host: Any, task: str, seconds: float) -> None:
    for ago in range(10):
        host.rollups.add("task-succeeded", task=task, ago=ago)
        host.rollups.measure("runtime", seconds, task=task, ago=ago)


def now(page: Any) -> str:
    """Return the text of the section."""
    text: str = page.text
    return text[text.index(" Now ") : text.index(" History tasks ")].rsplit("Config", maxsplit=1)[-1]


def test_the_longest_task_is_first_and_the_one_that_takes_too_long_is_marked(site: Any) -> None:
    tasks = [started("quick", 2, name="shop.mul"), started("slow", 90, name="shop.add"), started("new", 1, name="x")]
    made = site(tasks=[*tasks, started("elsewhere", 500, worker="w2@shop")])
    usual(made.host, "shop.add", 3.0)
    usual(made.host, "shop.mul", 3.0)
    page = made.page(PAGE)
    text = now(page)
    assert "3 running" in text
    assert "1 longer than usual" in text
    assert text.count("longer than usual") == 2
    assert text.index("1m 30s") < text.index("shop.mul")
    assert "3.00 s p95 3.00 s" in text
    assert "/task/elsewhere" not in page.values("a", "href")
    assert len([attributes for attributes in page.find("time") if "data-since" in attributes]) == 3


def test_what_only_the_worker_told_of_is_shown_without_a_link(site: Any) -> None:
    made = site(tasks=[started("known", 5)])
    active = [
        {"id": "known", "name": "shop.add", "time_start": time.time() - 5},
        {"id": "unheard", "name": "shop.silent", "time_start": time.time() - 61, "args": "(7,)"},
        "nonsense",
    ]
    made.host.inspect.replies["w1@shop"] = {"timestamp": time.time(), "active": active}
    page = made.page(PAGE)
    text = now(page)
    assert "2 running" in text
    assert text.index("shop.silent") < text.index("shop.add")
    assert "1m 01s" in text
    assert "/task/unheard" not in page.values("a", "href")


def test_of_a_worker_whose_clock_is_off_nobody_knows_for_how_long(site: Any) -> None:
    made = site(tasks=[started("t", 90)], workers=[FakeWorker("w1@shop", skew=-600.0)])
    usual(made.host, "shop.add", 1.0)
    page = made.page(PAGE)
    assert "1 running" in now(page)
    assert "longer than usual" not in page.text
    assert not [attributes for attributes in page.find("time") if "data-since" in attributes]


def test_a_worker_without_work_and_one_that_is_offline_say_so(site: Any) -> None:
    made = site(tasks=[started("t", 90, worker="w2@shop")])
    assert "No task is running." in now(made.page(PAGE))
    assert "It is offline." in now(made.page("/worker/w2@shop"))


def test_tasks_that_the_worker_lost_do_not_run(site: Any) -> None:
    made = site(tasks=[started("gone", 90), started("here", 5)])
    made.host.tasks.restarted.add("gone")
    assert "1 running" in now(made.page(PAGE))


def test_a_long_list_is_cut_and_says_so(site: Any) -> None:
    made = site(tasks=[started(f"t{number}", number) for number in range(60)])
    text = now(made.page(f"{PAGE}?limit=20"))
    assert "60 running" in text
    assert "20 of 60 shown" in text


def test_the_history_counts_how_tasks_of_this_worker_ended(site: Any) -> None:
    made = site()
    assert "No task of this worker has ended in the last 5 minutes" in made.page(PAGE).text
    made.host.rollups.add("task-succeeded", worker="w1@shop", number=40, ago=60)
    made.host.rollups.add("task-failed", worker="w1@shop", number=3, ago=90)
    made.host.rollups.add("task-started", worker="w1@shop", number=5, ago=90)
    made.host.rollups.add("task-failed", worker="w2@shop", number=500, ago=90)
    page = made.page(PAGE)
    assert "tasks that ended here in the last hour" in page.text
    (chart,) = page.find("figure", id="worker-chart")
    assert chart["data-href"] == "/tasks?worker=w1%40shop"
    drawing = page.find("svg", role="img")[0]
    assert drawing["aria-label"] == "Tasks that ended: Succeeded 40; Failed 3"
