"""What docs/api.md and the OpenAPI document promise, asked of a real Flower with a real worker.

Every command of docs/api.md is run as it stands there, with the words in capitals replaced; a new route joins by
`make docs`. A route that ends a worker comes last.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.system.contract import Contract
from tests.system.support import ROOT, Launcher, Room, RunningFlower, until

pytestmark = pytest.mark.system

LAST = ("/shutdown",)
"""What ends a worker, in a path."""

OTHER_WORKER = ("/api/workers/shutdown", "/autoscale")
"""Paths that are asked of the other worker, which scales by itself and is still there at the end."""

_FLAGS = {"-u": "user", "-X": "method", "-H": "header", "-d": "body"}


def commands() -> list[str]:
    """Return the example commands of docs/api.md, those of `LAST` last."""
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    found = re.findall(r"^    (curl .+)$", page, re.MULTILINE)
    return sorted(found, key=lambda command: any(path in command for path in LAST))


@dataclass
class Cluster:
    """A Flower that asks for a password, and what the words in capitals stand for there."""

    flower: RunningFlower
    contract: Contract
    words: Mapping[str, str]

    def run(self, command: str) -> httpx.Response:
        """Do what curl would do."""
        other = {"WORKER": "w2@test"} if any(path in command for path in OTHER_WORKER) else {}
        for word, value in {**self.words, **other}.items():
            command = re.sub(rf"\b{word}\b", value, command)
        given: dict[str, list[str]] = {}
        url, *rest = (*(parts := shlex.split(command)[1:])[-1:], *parts[:-1])
        assert len(rest) % 2 == 0, command
        for flag, value in zip(rest[::2], rest[1::2], strict=True):
            given.setdefault(_FLAGS[flag], []).append(value)
        method = given.get("method", ["POST" if "body" in given else "GET"])[0]
        headers = dict(header.split(": ", 1) for header in given.get("header", ()))
        user, _, password = given.get("user", [""])[0].partition(":")
        return httpx.request(
            method,
            url.replace("http://localhost:5555", self.flower.url),
            headers=headers,
            content=given.get("body", [""])[0],
            auth=(user, password) if user else None,
            timeout=20,
        )


@pytest.fixture(scope="module")
def cluster(launch_once: Launcher, quiet_room: Room) -> Cluster:
    flower = launch_once.flower(quiet_room, "--basic-auth=user:password", "--url_prefix=/flower")
    flower.client.auth = httpx.BasicAuth("user", "password")
    launch_once.worker(quiet_room, "w1")
    launch_once.worker(quiet_room, "w2", "--autoscale=4,2")
    until(lambda: flower.json("/api/workers?status=1") == {"w1@test": True, "w2@test": True}, "the workers are online")
    uuid = quiet_room.app().send_task("tests.system.cluster.add", (2, 3)).id
    quiet_room.app().send_task("tests.system.cluster.fail", ("no such order",))
    until(lambda: {"SUCCESS", "FAILURE"} <= {each["state"] for each in flower.json("/api/tasks").values()}, "both ran")
    until(lambda: flower.json("/api/workers").get("w1@test", {}).get("stats"), "the worker was inspected")
    words = {"TASK_ID": uuid, "TASK_NAME": "tests.system.cluster.add", "WORKER": "w1@test"}
    return Cluster(flower, Contract(flower.json("/api/openapi.json")), words)


def test_the_reference_has_an_example_for_every_operation(cluster: Cluster) -> None:
    page = "\n".join(commands())
    for path, methods in cluster.contract.document["paths"].items():
        assert re.search(re.sub(r"\\\{\w+\\\}", "[A-Z_]+", re.escape(path)) + r"\b", page), path
        assert all(each["x-codeSamples"] for each in methods.values())


def test_the_document_follows_the_specification(cluster: Cluster) -> None:
    document = cluster.contract.document
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    assert document["servers"] == [{"url": "/flower"}]
    assert document["security"] == [{"basic": []}]
    assert {"/healthcheck", "/readyz", "/metrics", "/api/tasks"} <= set(document["paths"])
    assert not any(path.startswith(("/static", "/stream", "/task/")) for path in document["paths"])


def reads(cluster: Cluster) -> list[str]:
    paths = cluster.contract.reads(cluster.words["TASK_ID"], cluster.words["WORKER"])
    assert len(paths) >= 7
    return paths


def answers(flower: RunningFlower, path: str) -> list[httpx.Response] | None:
    """Return what a GET, a compressed one, a HEAD and a conditional GET answer; None if the data changed meanwhile."""
    identity = {"Accept-Encoding": "identity"}
    plain = flower.get(path, headers=identity)
    packed = flower.get(path, headers={"Accept-Encoding": "gzip"})
    head = flower.client.head(path, headers=identity)
    again = flower.get(path, headers={"If-None-Match": plain.headers["Etag"]})
    return [plain, packed, head, again] if flower.get(path, headers=identity).content == plain.content else None


def test_every_json_read_answers_304_head_and_gzip(cluster: Cluster) -> None:
    for path in reads(cluster):
        plain, packed, head, again = until(lambda path=path: answers(cluster.flower, path), f"{path} keeps still")
        assert (plain.status_code, head.status_code, head.content) == (200, 200, b""), path
        assert (again.status_code, again.content) == (304, b""), path
        assert head.headers["Content-Type"] == plain.headers["Content-Type"], path
        large = len(plain.content) >= 1024
        assert (packed.headers.get("Content-Encoding") == "gzip") == large, path
        assert packed.json() == plain.json(), path
        for response in (plain, packed, head, again):
            assert cluster.contract.faults(response) == []


def test_reads_without_credentials_are_refused_as_described(cluster: Cluster) -> None:
    for path in reads(cluster):
        for accept in ("*/*", "application/json"):
            response = httpx.get(cluster.flower.url + path, headers={"Accept": accept})
            assert response.status_code == 401
            assert cluster.contract.faults(response) == []


def test_following_the_links_reads_every_task_once(cluster: Cluster, quiet_room: Room) -> None:
    flower = cluster.flower
    for number in range(25):
        quiet_room.app().send_task("tests.system.cluster.add", (number, number))
    until(lambda: len(flower.json("/api/tasks?state=SUCCESS")) >= 26, "all have run")
    for order in ("", "&sort_by=received", "&sort_by=-received", "&sort_by=-name"):
        seen: list[str] = []
        url: Any = f"/api/tasks?limit=4{order}"
        while url:
            response = flower.get(url)
            assert cluster.contract.faults(response) == []
            seen += response.json()
            assert response.headers["X-Total-Count"] == "27"
            url = response.links["next"]["url"].removeprefix("/flower") if "next" in response.links else None
        assert len(seen) == len(set(seen)) == 27
        assert seen == list(flower.json(f"/api/tasks?{order}"))


def test_a_page_shows_what_the_document_says(cluster: Cluster) -> None:
    page = cluster.flower.get("/api/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    for path in cluster.contract.document["paths"]:
        assert f"<code>{path}</code>" in page.text


@pytest.mark.parametrize("command", commands())
def test_every_documented_request_works_and_answers_as_described(cluster: Cluster, command: str) -> None:
    response = cluster.run(command)
    assert response.is_success, (response.status_code, response.text)
    assert cluster.contract.faults(response) == []
