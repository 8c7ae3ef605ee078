"""What routes declare: enough to describe the API without reading the handlers."""

from __future__ import annotations

import re

import msgspec
import pytest

from flower_api.plugin import flower_routes
from flower_plugins import Route
from flower_plugins.web import handler_of

ROUTES = flower_routes()


def test_names_of_routes_are_their_own() -> None:
    assert len({route.name for route in ROUTES}) == len(ROUTES)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_route_says_what_it_takes_and_answers(route: Route) -> None:
    statuses = {answer.status for answer in route.answers}
    assert 200 in statuses
    assert route.help
    assert all(param.help for param in route.params)
    if route.params or route.body is not None:
        assert 400 in statuses
    if route.access in ("write", "admin"):
        assert {403, 503} <= statuses or 207 in statuses
        assert not {"get", "head"} & set(vars(handler_of(route)))
    if re.match("/api/worker/", route.pattern):
        assert {404, 409} <= statuses


def test_every_shape_can_be_described() -> None:
    shapes = [answer.type for route in ROUTES for answer in route.answers if answer.type is not None]
    bodies = [route.body for route in ROUTES if route.body is not None]
    schemas, components = msgspec.json.schema_components([*bodies, *shapes])
    assert len(schemas) == len(bodies) + len(shapes)
    assert {"TaskBody", "ApplyBody", "RevokeBody", "TaskOutcome", "Message", "Outcomes"} <= set(components)
    options = set(components["TaskBody"]["properties"])
    assert {"args", "kwargs", "options", "queue", "eta", "link"} <= options
    assert not {"connection", "producer", "router", "timeout"} & options


DOCUMENTED = """
GET /api/workers
POST /api/worker/shutdown/celery@worker2
POST /api/worker/pool/restart/celery@worker2
POST /api/worker/pool/grow/celery@worker2
POST /api/worker/pool/shrink/celery@worker2
POST /api/worker/pool/autoscale/celery@worker2
POST /api/worker/queue/add-consumer/celery@worker2
POST /api/worker/queue/cancel-consumer/celery@worker2
GET /api/tasks
GET /api/task/types
GET /api/queues/length
GET /api/task/info/91396550-c228-4111-9da4-9d88cfd5ddc6
POST /api/task/apply/tasks.add
POST /api/task/async-apply/tasks.add
POST /api/task/send-task/tasks.add
GET /api/task/result/c60be250-fe52-48df-befb-ac66174076e6
POST /api/task/abort/c60be250-fe52-48df-befb-ac66174076e6
POST /api/task/timeout/tasks.sleep
POST /api/task/rate-limit/tasks.sleep
POST /api/task/revoke/1480b55c-b8b2-462c-985e-24af3e9158f9
"""


@pytest.mark.parametrize("line", DOCUMENTED.strip().splitlines())
def test_every_route_of_flower_2_is_there(line: str) -> None:
    method, path = line.split()
    (route,) = (route for route in ROUTES if re.fullmatch(route.pattern, path))
    handler = handler_of(route)
    assert any(method.lower() in vars(each) for each in handler.__mro__ if each.__module__.startswith("flower_api"))
