"""What starting loads: an idle Flower goes without what only pages, scrapes and readers of the reference need."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from dists import ROOT

ASSEMBLED = """
import json, sys
from celery import Celery
from flower.app import Flower
from flower.cli import run

def serve(app, settings, plugins, quiet):
    flower = Flower(app, settings, plugins)
    assert len(list(flower.table)) > 50
    print(json.dumps(sorted(sys.modules)))
    return 0

sys.exit(run(Celery(broker="redis://127.0.0.1:1/0", set_as_current=False), ["--port=0"], environ={}, serve=serve))
"""


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """Return the modules that are there when a Flower with every plugin is assembled."""
    done = subprocess.run([sys.executable, "-c", ASSEMBLED], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "module",
    [
        "celery.backends.rpc",
        "flower.history",
        "flower_api.documents",
        "flower_api.handler",
        "flower_broker_rabbitmq.location",
        "flower_dashboard.actions",
        "flower_dashboard.pages",
        "flower_dashboard.views",
        "jinja2",
        "prometheus_client",
    ],
)
def test_it_is_loaded_when_it_is_first_needed(loaded: set[str], module: str) -> None:
    """Row "start-up and memory no worse" of the benchmarks"""
    assert module not in loaded


def test_the_rest_is_there(loaded: set[str]) -> None:
    assert {"flower.app.flower", "flower_api.routes", "flower_dashboard.routes", "flower_plugins.web"} <= loaded
