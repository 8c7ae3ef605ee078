"""Plugins as bad as they come, installed all at once: each costs itself, and the reports say what is wrong with it."""

from __future__ import annotations

import html
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from tests.system.support import Launcher, Publisher, Room, RunningFlower, until

pytestmark = pytest.mark.system

CANARY = "canary-77aa"
HEADER = """
from flower_plugins import (
    EventSink, MetricFamily, MetricSource, NavItem, Option, Route, Sample, Service, hookimpl,
)
from flower_plugins.web import Handler


class Page(Handler):
    def get(self):
        self.finish("fine")
"""

AT_LOADING = {
    "imports": ("import no_such_module", "No module named 'no_such_module'"),
    "exits": ("import sys; sys.exit('bye')", "sys.exit(bye)"),
    "future": (
        "FLOWER_API_VERSION = 99\n@hookimpl\ndef flower_nav_items(): return []",
        "written for plugin API 99, this Flower has 1",
    ),
    "misspelt": (
        "@hookimpl\ndef flower_rutes(): return []",
        "unknown hook 'flower_rutes'. Did you mean 'flower_routes'?",
    ),
    "unmarked": ("def flower_routes(): return []", "flower_routes is not marked with @hookimpl"),
    "empty": ("", "without hook functions"),
}
AT_ASKING = {
    "raises": ("@hookimpl\ndef flower_routes(host): raise ValueError('no luck')", "ValueError: no luck"),
    "quits": ("@hookimpl\ndef flower_nav_items(): raise SystemExit(3)", "sys.exit(3)"),
    "wrong_type": ("@hookimpl\ndef flower_nav_items(): return 5", "flower_nav_items returned int, expected a list"),
    "no_access": (
        "@hookimpl\ndef flower_routes(): return [Route('/no-access', Page, surface='page', name='x')]",
        "'access'",
    ),
    "odd_access": (
        "@hookimpl\ndef flower_routes(): return [Route('/odd', Page, 'anybody', 'page', 'x')]",
        "has access 'anybody'",
    ),
}
AT_WORK = {
    "service": (
        """
        class Broken(Service):
            name = "broken"

            async def start(self):
                raise ConnectionError("no luck")

            async def stop(self):
                raise AssertionError("was never started")


        @hookimpl
        def flower_services(host):
            return [Broken()]


        @hookimpl
        def flower_routes(host):
            return [Route("/service", Page, "read", "page", "one"), Route("/api/service", Page, "read", "api", "two")]
        """,
        "service 'broken' did not start: ConnectionError: no luck",
    ),
    "sink": (
        """
        class Broken(EventSink):
            def on_changes(self, changes):
                raise ValueError("no luck")


        @hookimpl
        def flower_event_sinks(host):
            return [Broken()]
        """,
        "the event sink is off: it raised ValueError 5 times in a row",
    ),
    "formatter": (
        """
        class Broken:
            def format(self, task):
                raise ValueError(task.args)


        @hookimpl
        def flower_task_formatters(host):
            return [Broken()]
        """,
        "the task formatter raised ValueError; what it should have formatted is hidden",
    ),
    "metrics": (
        """
        class Broken(MetricSource):
            def families(self):
                yield MetricFamily("drill_before", "Comes before the fault", "gauge", samples=(Sample((), 1.0),))
                raise ValueError("no luck")


        @hookimpl
        def flower_metric_sources(host):
            return [Broken()]
        """,
        "the metric source is off: it raised ValueError 5 times in a row",
    ),
}
PAGES = """
class Broken(Handler):
    def get(self):
        raise ValueError("no luck")


class Missing(Handler):
    def get(self):
        self.send_page("no_such_template.html")


@hookimpl
def flower_routes(host):
    return [
        Route("/broken", Broken, "read", "page", "broken"),
        Route("/missing", Missing, "read", "page", "missing"),
        Route("/fine", Page, "read", "page", "fine"),
    ]
"""


@dataclass
class Broken:
    """A Flower with every broken plugin in it."""

    flower: RunningFlower
    path: str
    room: Room


@pytest.fixture(scope="module")
def broken(launch_once: Launcher, redis_room: Room, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broken]:
    folder = tmp_path_factory.mktemp("site")
    for name, (source, _) in {**AT_LOADING, **AT_ASKING, **AT_WORK}.items():
        install(folder, name, source)
    install(folder, "pages", PAGES)
    flower = launch_once.flower(redis_room, env={"PYTHONPATH": str(folder)})
    until(lambda: flower.get("/readyz").status_code == 200, "events flow")
    yield Broken(flower, str(folder), redis_room)
    assert flower.process.stop() == 0


def install(folder: Path, name: str, source: str) -> None:
    """Put a module with an entry point on disk, as an installer does."""
    module = f"drill_{name}"
    (folder / f"{module}.py").write_text(HEADER + dedent(source))
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: drill-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[flower_plugins]\n{name} = {module}\n")


def report(flower: RunningFlower, name: str) -> dict[str, Any]:
    plugins = flower.json("/api/plugins")["plugins"]
    found: dict[str, Any] = next(plugin for plugin in plugins if plugin["name"] == name)
    return found


def failed(flower: RunningFlower, name: str, error: str) -> None:
    """Check that the API and the page both say what is wrong."""
    found = report(flower, name)
    assert (found["state"], found["dist"], found["version"]) == ("failed", f"drill-{name}", "1.0")
    assert error in found["error"]
    assert error in html.unescape(flower.get("/plugins").text)


@pytest.mark.parametrize(("name", "error"), [(name, error) for name, (_, error) in {**AT_LOADING, **AT_ASKING}.items()])
def test_a_plugin_that_cannot_be_used_is_reported(broken: Broken, name: str, error: str) -> None:
    failed(broken.flower, name, error)
    warned = [line for line in broken.flower.process.output().splitlines() if f"Plugin {name} failed" in line]
    assert len(warned) == 1
    assert error in warned[0]


def test_the_others_work(broken: Broken) -> None:
    assert report(broken.flower, "api")["state"] == report(broken.flower, "dashboard")["state"] == "active"
    for path in ("/", "/workers", "/tasks", "/healthcheck", "/readyz", "/metrics", "/fine"):
        assert broken.flower.get(path).status_code == 200, path
    assert broken.flower.get("/no-access").status_code == broken.flower.get("/odd").status_code == 404


def test_routes_of_a_plugin_whose_service_did_not_start_answer_503(broken: Broken) -> None:
    failed(broken.flower, *at_work("service"))
    assert broken.flower.get("/service").status_code == 503
    refused = broken.flower.get("/api/service", headers={"Accept": "application/json"})
    assert refused.status_code == 503
    assert "service is not running" in refused.json()["error"]


def test_a_sink_that_raises_costs_the_others_nothing(broken: Broken) -> None:
    """R40"""
    for number in range(8):
        send(broken, f"sink-{number}")
    failed(broken.flower, *at_work("sink"))
    send(broken, "sink-last")


def test_what_a_formatter_failed_on_is_hidden_everywhere(broken: Broken) -> None:
    """S57"""
    send(broken, "secret", args=f"('{CANARY}',)", kwargs=f"{{'card': '{CANARY}'}}", result=CANARY)
    for path in ("/api/tasks", "/api/task/info/secret", "/tasks", "/task/secret", "/api/tasks?search=canary"):
        response = broken.flower.get(path)
        assert response.status_code == 200
        assert CANARY not in response.text
    assert broken.flower.json("/api/tasks?search=canary") == {}
    failed(broken.flower, *at_work("formatter"))
    assert CANARY not in broken.flower.process.output()


def test_a_metric_source_that_raises_is_left_out(broken: Broken) -> None:
    """R40"""
    for _ in range(6):
        metrics = broken.flower.get("/metrics").text
        assert "\nflower_event_stream_up 1.0" in metrics
        assert "drill_before" not in metrics
    failed(broken.flower, *at_work("metrics"))


@pytest.mark.parametrize("path", ["/broken", "/missing"])
def test_a_page_that_raises_is_an_error_page(broken: Broken, path: str) -> None:
    response = broken.flower.get(path)
    assert response.status_code == 500
    assert "text/html" in response.headers["Content-Type"]
    assert "The server's log says what" in html.unescape(response.text)
    assert "no luck" not in response.text
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert broken.flower.get("/fine").text == "fine"


def test_the_command_line_lists_those_that_cannot_be_loaded(broken: Broken, launch: Launcher) -> None:
    code, text = launch.run("flower", "--plugins=json", env={"PYTHONPATH": broken.path})
    assert code == 0
    listed = {row["name"]: row for row in json.loads(text)}
    for name, (_, error) in AT_LOADING.items():
        assert listed[name]["state"] == "failed"
        assert error in listed[name]["error"]
    assert listed["pages"]["state"] == "active"


def test_a_broken_plugin_can_be_switched_off(broken: Broken, launch: Launcher) -> None:
    code, text = launch.run(
        "flower", "--plugins=json", "--disable_plugin=exits,imports", env={"PYTHONPATH": broken.path}
    )
    assert code == 0
    states = {row["name"]: row["state"] for row in json.loads(text)}
    assert (states["exits"], states["imports"], states["future"]) == ("disabled", "disabled", "failed")


def test_naming_one_that_is_not_there_says_how_to_install_it(launch: Launcher) -> None:
    words = ["--disable_plugin=auth_github", "--auth_provider=flower.views.auth.GithubLoginHandler"]
    code, output = launch.run("flower", *words)
    assert code == 2
    (line,) = output.strip().splitlines()
    assert line.startswith("flower: ")
    assert "pip install 'flower[github]'" in line


def at_work(name: str) -> tuple[str, str]:
    return name, AT_WORK[name][1]


def send(broken: Broken, uuid: str, **fields: Any) -> None:
    """Send an event and wait until its task is there."""
    head = {"hostname": "w1@drill", "timestamp": time.time(), "clock": 1, "uuid": uuid, "name": "shop.pay"}
    with Publisher(broken.room) as publisher:
        publisher.send({**head, "type": "task-received", **fields})
        publisher.send({**head, "type": "task-succeeded", "runtime": 0.1, **fields})
    until(lambda: broken.flower.get(f"/api/task/info/{uuid}").status_code == 200, f"{uuid} is there")
