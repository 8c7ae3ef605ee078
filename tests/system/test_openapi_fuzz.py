"""Whatever the OpenAPI document allows or forbids is sent to a real Flower: no crash, no answer that is not described.

Every operation of docs/api.md takes part by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import docs
import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.system.contract import Contract
from tests.system.support import Launcher, Room, RunningFlower, until

from flower_api.operations import Operation, operations

pytestmark = pytest.mark.system

_CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
_TAMED = {"timeout": 0.01}
"""Parameters with which a right answer may take long, and the value sent instead."""

_SLOW = ("query_task",)
"""Operations that wait for every worker there may be: they are asked less often."""

_OPERATIONS = operations(docs.declared_routes())
_CASES = [(each, GenerationMode.POSITIVE) for each in _OPERATIONS] + [
    (each, GenerationMode.NEGATIVE) for each in _OPERATIONS if each.route.params or each.route.body
]
_READS = [each for each in _OPERATIONS if each.method == "GET" and each.route.params]
_ALWAYS_THE_SAME = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

_numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 2**31, 2**53, 2**63, 2**64, 10**39, 10**400, "1e400", "٣", "0x1"]),
)
_times = st.one_of(
    st.datetimes().map(str), st.datetimes().map(lambda moment: moment.isoformat() + "Z"), st.just("9999-12-31 23:59")
)
_texts = st.one_of(
    st.text(max_size=40),
    st.text(alphabet='():"\\-<>=!, \t%', max_size=30),
    st.sampled_from(
        [
            "All",
            "-",
            "--name",
            "a" * 3000,
            "\0",
            "state:",
            "age:>",
            "NOT",
            "(" * 200,
            "W10",
            "e30",
            "WyIiLHRydWUsMWU5OTksIiJd",
        ]
    ),
)
_values = st.one_of(_numbers, _times, _texts, st.booleans()).map(str)


@dataclass
class Target:
    """A Flower with a worker and tasks of every fate, and its document."""

    flower: RunningFlower
    schema: Any
    contract: Contract


@pytest.fixture(scope="module")
def target(launch_once: Launcher, quiet_room: Room) -> Iterator[Target]:
    flower = launch_once.flower(quiet_room, "--address=127.0.0.1", "--inspect_timeout=50")
    launch_once.worker(quiet_room)
    until(lambda: flower.json("/api/workers?status=1").get("w1@test"), "the worker is online")
    for name, args in (("add", (2, 3)), ("fail", ("no",)), ("flaky", ())):
        quiet_room.app().send_task(f"tests.system.cluster.{name}", args)
    until(lambda: len(flower.json("/api/tasks?state=SUCCESS")) == 2, "the tasks have run")
    document = flower.json("/api/openapi.json")
    yield Target(flower, schemathesis.openapi.from_dict(document), Contract(document))
    assert flower.get("/healthcheck").text == "OK"


def test_the_documented_operations_are_those_that_are_served(target: Target) -> None:
    served = {(method.upper(), path) for path, item in target.contract.document["paths"].items() for method in item}
    assert served == {(each.method, each.path) for each in _OPERATIONS}


@pytest.mark.parametrize(("operation", "mode"), _CASES, ids=lambda each: getattr(each, "id", each))
def test_every_answer_is_one_that_is_described(target: Target, operation: Operation, mode: GenerationMode) -> None:
    """S48"""

    @settings(_ALWAYS_THE_SAME, max_examples=3 if operation.id in _SLOW else 15)
    @given(case=target.schema[operation.path][operation.method].as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        for name in set(_TAMED) & set(case.query or ()):
            case.query[name] = _TAMED[name]
        response = case.call(base_url=target.flower.url, timeout=10)
        case.validate_response(response, checks=_CHECKS)

    send()


@pytest.mark.parametrize("operation", _READS, ids=lambda each: each.id)
def test_parameters_of_any_kind_are_answered(target: Target, operation: Operation) -> None:
    """S48, R11"""
    names = [param.name for param in operation.route.params] + ["unknown"]
    url = operation.path.replace("{", "").replace("}", "")

    @settings(_ALWAYS_THE_SAME, max_examples=150)
    @given(query=st.lists(st.tuples(st.sampled_from(names), _values), max_size=5))
    def send(query: list[tuple[str, str]]) -> None:
        tamed = [(name, str(_TAMED.get(name, value))) for name, value in query]
        for method in ("GET", "HEAD"):
            response = target.flower.client.request(method, url, params=httpx.QueryParams(tamed))
            assert response.status_code in (200, 304, 400, 404), (tamed, response.status_code, response.text)
            assert target.contract.faults(response) == []

    send()
