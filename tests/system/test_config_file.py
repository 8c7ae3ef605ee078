"""flowerconfig.py as the documentation shows it, over a real start."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.system.support import Launcher, Room, RunningFlower, until

pytestmark = pytest.mark.system

CARD = "4929-canary-1881"
TABLE = "/tasks/datatable?draw=1&start=0&length=10&order[0][column]=0"
DOCUMENTED = """
# RabbitMQ management api
broker_api = 'http://guest:guest@localhost:15672/api/'

# Enable debug logging
logging = 'DEBUG'

from flower.utils.template import humanize

def format_task(task):
    task.args = humanize(task.args, length=10)
    task.kwargs.pop('credit_card_number')
    task.result = humanize(task.result, length=20)
    return task
"""
ONE_OFF = """
from flower_plugins import NavItem, Route
from flower_plugins.web import Handler

max_tasks = 15
max_workers = 25
inspect_timeout = 1500.0


class Hello(Handler):
    def get(self):
        self.finish(f"hello to {len(self.host.tasks)} tasks")


def flower_routes(host):
    return [Route("/hello", Hello, access="read", surface="page", name="hello")]


def flower_nav_items():
    return [NavItem("Hello", "/hello")]
"""


@dataclass
class Shop:
    """A Flower with that file, and a worker that is being paid."""

    flower: RunningFlower
    paid: str
    paying: str


@pytest.fixture(scope="module")
def shop(launch_once: Launcher, redis_room: Room, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "flowerconfig.py").write_text(DOCUMENTED + ONE_OFF)
    environment = {"FLOWER_MAX_TASKS": "16", "FLOWER_MAX_WORKERS": "26", "FLOWER_STATE_SAVE_INTERVAL": "3600000"}
    flower = launch_once.flower(redis_room, "--max_tasks=14", env=environment, cwd=folder)
    until(lambda: flower.get("/readyz").status_code == 200, "events flow")
    launch_once.worker(redis_room)
    app = redis_room.app()
    order = {"amount": 7, "credit_card_number": CARD}
    paid = app.send_task("tests.system.cluster.pay", kwargs=order).id
    paying = app.send_task("tests.system.cluster.pay", kwargs={**order, "seconds": 60}).id
    until(lambda: flower.get(f"/api/task/info/{paid}").text.find('"SUCCESS"') > 0, "one payment is done")
    until(lambda: flower.get(f"/api/task/info/{paying}").text.find('"STARTED"') > 0, "another is not")

    def told() -> bool:
        workers = flower.json("/api/workers?refresh=1&workername=w1@test")
        return [task["id"] for task in workers["w1@test"].get("active", ())] == [paying]

    until(told, "the worker tells what it is doing")
    yield Shop(flower, paid, paying)
    app.control.revoke(paying, terminate=True)
    assert flower.process.stop() == 0


@pytest.mark.parametrize(
    "path",
    [
        "/api/tasks",
        f"/api/tasks?search={CARD}",
        "/api/task/info/PAID",
        "/api/task/info/PAYING",
        "/task/PAID",
        "/task/PAYING",
        "/tasks",
        "/tasks?search=canary",
        TABLE,
        "/worker/w1@test",
        "/api/workers?refresh=1&workername=w1@test",
        "/api/workers",
        "/workers?json=1",
        "/metrics",
    ],
)
def test_what_format_task_takes_out_is_nowhere(shop: Shop, path: str) -> None:
    """S57: the documented example, word for word."""
    response = shop.flower.get(path.replace("PAID", shop.paid).replace("PAYING", shop.paying))
    assert response.status_code == 200
    assert CARD not in response.text.replace(f"search={CARD}", "")


def test_what_format_task_leaves_is_there(shop: Shop) -> None:
    info = shop.flower.json(f"/api/task/info/{shop.paid}")
    assert "'amount': 7" in info["kwargs"]
    assert "paid 7" in info["result"]
    assert len(shop.flower.json("/api/tasks?search=amount")) == 2
    assert shop.flower.json(f"/api/tasks?search={CARD}") == {}
    assert (
        shop.flower.json("/tasks/datatable?draw=1&start=0&length=10&order[0][column]=0&search[value]=canary")["data"]
        == []
    )


def test_logging_at_debug_level_tells_settings_and_no_secret(shop: Shop) -> None:
    output = shop.flower.process.output()
    assert re.search(r"^\[D .*Settings: ", output, re.MULTILINE)
    assert "guest:guest" not in output
    assert CARD not in output


def test_the_command_line_wins_over_the_file_and_the_file_over_the_environment(shop: Shop) -> None:
    settings = next(line for line in shop.flower.process.output().splitlines() if "Settings: " in line)
    for name, value in {
        "max_tasks": 14,
        "max_workers": 25,
        "inspect_timeout": 1500.0,
        "state_save_interval": 3600000,
    }.items():
        assert re.search(rf"'{name}': {re.escape(str(value))}\b", settings), name


def test_functions_of_the_file_are_a_plugin(shop: Shop) -> None:
    assert shop.flower.get("/hello").text == "hello to 2 tasks"
    assert ">Hello</a>" in shop.flower.get("/tasks").text
    (plugin,) = [one for one in shop.flower.json("/api/plugins")["plugins"] if one["name"] == "flowerconfig"]
    assert plugin["state"] == "active"
    assert plugin["hooks"] == ["flower_nav_items", "flower_routes"]


def test_celery_settings_in_the_file_replace_the_app_s(launch: Launcher, redis_room: Room, tmp_path: Path) -> None:
    conf = tmp_path / "celeryconfig.py"
    conf.write_text(
        f"broker_url = {redis_room.url!r}\ntask_default_queue = 'special'\nCELERY_TIMEZONE = 'Asia/Tokyo'\n"
    )
    flower = launch.flower(None, f"--conf={conf}")
    assert f"Broker: {redis_room.url}" in flower.process.output()
    until(lambda: flower.get("/readyz").status_code == 200, "events flow")
    assert [queue["name"] for queue in flower.json("/api/queues/length")["active_queues"]] == ["special"]
    assert flower.process.stop() == 0


def test_a_broker_on_the_command_line_wins_over_the_file(launch: Launcher, redis_room: Room, tmp_path: Path) -> None:
    conf = tmp_path / "celeryconfig.py"
    conf.write_text("broker_url = 'redis://127.0.0.1:1/0'\n")
    flower = launch.flower(None, f"--conf={conf}", celery=[f"--broker={redis_room.url}"])
    assert f"Broker: {redis_room.url}" in flower.process.output()
    until(lambda: flower.get("/readyz").status_code == 200, "events flow")
    assert flower.process.stop() == 0
