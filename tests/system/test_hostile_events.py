"""What anybody who can publish to the broker may send: it costs itself at most, and is never believed or executed."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
from tests.system.contract import Contract
from tests.system.support import Launcher, Publisher, Room, RunningFlower, until

pytestmark = pytest.mark.system

GOOD = [f"good-{number:03}" for number in range(100)]
SCRIPT = "<script>alert(1)</script><x-injected>\"'><img src=x onerror=alert(1)>"
KEYS = ("name", "args", "kwargs", "result", "exception", "traceback", "retries", "eta", "expires", "runtime", "clock")


def event(type_: str, /, **fields: Any) -> dict[str, Any]:
    """Return an event as a worker's dispatcher makes it."""
    head = {"type": type_, "hostname": "w1@hostile", "timestamp": time.time(), "clock": 1, "pid": 1, "utcoffset": 0}
    return {**head, **fields}


def received(uuid: str, /, **fields: Any) -> dict[str, Any]:
    return event("task-received", **{"uuid": uuid, "name": "shop.pay", "args": "()", "kwargs": "{}", **fields})


def heartbeat(**fields: Any) -> dict[str, Any]:
    return event("worker-heartbeat", **{"freq": 2.0, "active": 0, "processed": 0, "loadavg": [0, 0, 0], **fields})


def without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


NOT_EVENTS: dict[str, Any] = {
    "no type": without(received("bad-no-type"), "type"),
    "type 5": received("bad-type", type=5),
    "no hostname": without(received("bad-no-hostname"), "hostname"),
    "hostname 5": heartbeat(hostname=5),
    "hostname a list": heartbeat(hostname=["w1"]),
    "no uuid": without(received("bad-no-uuid"), "uuid"),
    "uuid a dict": received("bad-dict", uuid={"a": 1}),
    "body 5": 5,
    "body null": None,
    "body text": "x",
    "body numbers": [1, 2],
}
"""JSON that is no event. R01, R04, R06, R09"""

REPAIRED: dict[str, dict[str, Any]] = {
    "clock": received("bad-clock", clock="abc"),
    "clock null": received("bad-clock-null", clock=None),
    "clock huge": received("bad-clock-huge", clock=10**30),
    "timestamp NaN": received("bad-timestamp-nan", timestamp=float("nan")),
    "timestamp huge": received("bad-timestamp-huge", timestamp=1e20),
    "timestamp text": received("bad-timestamp-text", timestamp="yesterday"),
    "utcoffset": received("bad-utcoffset", utcoffset="x"),
    "runtime NaN": event("task-succeeded", uuid="bad-runtime-nan", result="1", runtime=float("nan")),
    "runtime text": event("task-succeeded", uuid="bad-runtime-text", result="1", runtime="long"),
    "runtime negative": event("task-succeeded", uuid="bad-runtime-negative", result="1", runtime=-1),
    "surrogate": received("bad-surrogate", args="\ud800", name="\udfff", kwargs="{'\ud83d': 1}"),
    "custom event": event("task-progress", uuid="bad-custom", worker="w1", state=["x"], __class__="x"),
    "parentheses": received("bad-parentheses", kwargs="(" * 5000),
    "minuses": received("bad-minuses", kwargs="-" * 100_000),
    "sum": received("bad-sum", kwargs="1+" * 100_000 + "1"),
    "unhashable": received("bad-unhashable", kwargs="{[1]: 2}"),
    "long": received("bad-long", args=f"({'a' * 5_000_000})"),
    **{
        f"{key} {type(value).__name__}": event(
            "task-received" if key not in ("result", "exception", "traceback") else "task-failed",
            **{"uuid": f"bad-{key}-{type(value).__name__}", "name": "shop.pay", key: value},
        )
        for key in KEYS
        for value in ([SCRIPT, [SCRIPT]], {SCRIPT: SCRIPT}, True)
    },
}
"""Events with fields that make no sense: the task is there, and can be looked at. R03, R10, R11, R12, R13, R14, S15"""

SCRIPTS: dict[str, dict[str, Any]] = {
    **{key: event("task-received", **{"uuid": f"bad-script-{key}", key: SCRIPT}) for key in KEYS[:3]},
    **{key: event("task-failed", **{"uuid": f"bad-script-{key}", key: SCRIPT}) for key in KEYS[3:]},
    "state": event(f"task-{SCRIPT}", uuid="bad-script-state", extra=SCRIPT, **{SCRIPT: SCRIPT}),
    "hostname": received("bad-script-hostname", hostname=SCRIPT),
    "uuid": received(f"bad-{SCRIPT}"),
    "routing": received("bad-script-routing", queue=SCRIPT, exchange=SCRIPT, routing_key=SCRIPT, root_id=SCRIPT),
}
"""S14"""

HEARTBEATS: dict[str, dict[str, Any]] = {
    "freq": heartbeat(hostname="freq@hostile", freq="2s"),
    "loadavg": heartbeat(hostname="loadavg@hostile", loadavg=["a", None, float("inf")]),
    "heartbeats": heartbeat(hostname="heartbeats@hostile", heartbeats=["now"], active="many", processed=[1]),
    "software": heartbeat(hostname="software@hostile", sw_ident=SCRIPT, sw_ver=[SCRIPT], sw_sys={"a": SCRIPT}, pid="x"),
    "name": heartbeat(hostname=SCRIPT),
}
"""R08"""

BYTES: dict[str, tuple[bytes, str, str]] = {
    "invalid JSON": (b'{"type": "task-received"', "application/json", "utf-8"),
    "no bytes": (b"", "application/json", "utf-8"),
    "not UTF-8": (b'{"type": "task-\xff\xfe"}', "application/json", "utf-8"),
    "nesting": (b"[" * 100_000 + b"]" * 100_000, "application/json", "utf-8"),
    "pickle": (b"\x80\x04\x8c\x05posix\x94.", "application/x-python-serialize", "binary"),
    "unknown type": (b"type=task-received", "application/x-nobody-knows", "utf-8"),
    "unknown charset": (b"{}", "application/json", "klingon"),
    "wrong charset": (b"\xff\xfe{", "application/json", "utf-16"),
}
"""R05"""

BATCH = [received(f"batch-{number}") for number in range(101)]
BATCH[50] = without(BATCH[50], "uuid")

OBJECTS: list[dict[str, Any]] = [*NOT_EVENTS.values(), *REPAIRED.values(), *SCRIPTS.values(), *HEARTBEATS.values()]
FOLLOWERS = [f"after-{number}" for number in range(len(OBJECTS) + len(BYTES))]
TASKS = sorted({fields["uuid"] for fields in (*REPAIRED.values(), *SCRIPTS.values())})
WORKERS = sorted({fields["hostname"] for fields in HEARTBEATS.values()})
TABLE = "/tasks/datatable?draw=1&start=0&length=1000&order[0][column]=0&columns[0][data]=received&order[0][dir]=desc"


@dataclass
class Bombarded:
    """A Flower that has been sent all of it."""

    flower: RunningFlower
    rss_before: int
    rss_after: int


@pytest.fixture(scope="module", params=["redis_room", "rabbit_room"])
def room(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def bombarded(launch_once: Launcher, room: Room) -> Iterator[Bombarded]:
    """Send everything above with a good event after each, then a hundred good ones."""
    flower = launch_once.flower(room)
    until(lambda: flower.get("/readyz").status_code == 200, "events flow")
    with Publisher(room) as publisher:
        # The first ones make room that the later ones use again: what must not grow is the room for each.
        send_large(flower, publisher, range(3))
        before = flower.process.memory()
        send_large(flower, publisher, range(3, 23))
        after = flower.process.memory()
        followers = iter(FOLLOWERS)
        for payload in OBJECTS:
            publisher.send(payload)
            publisher.send(received(next(followers)))
        for body, content_type, charset in BYTES.values():
            publisher.send_bytes(body, content_type, charset)
            publisher.send(received(next(followers)))
        publisher.send_envelopes()
        publisher.send(BATCH)
        for uuid in GOOD:
            publisher.send(received(uuid))
    seen(flower, GOOD[-1])
    yield Bombarded(flower, before, after)
    assert flower.process.stop() == 0


def send_large(flower: RunningFlower, publisher: Publisher, numbers: range) -> None:
    """Wait for each: what is tried here is one large value after the other, not the queue's limit."""
    for number in numbers:
        publisher.send(received(f"large-{number:02}", args="a" * 5_000_000))
        seen(flower, f"large-{number:02}")


def seen(flower: RunningFlower, uuid: str) -> None:
    until(lambda: flower.get(f"/api/task/info/{quote(uuid, safe='')}").status_code == 200, f"{uuid} is seen")


def test_every_good_event_arrives(bombarded: Bombarded) -> None:
    """R01, R02, R07"""
    tasks = bombarded.flower.json("/api/tasks")
    assert [uuid for uuid in GOOD if uuid not in tasks] == []
    assert [f"batch-{number}" for number in range(101) if f"batch-{number}" not in tasks] == ["batch-50"]
    assert [uuid for uuid in FOLLOWERS if uuid not in tasks] == []
    assert tasks[GOOD[0]]["name"] == "shop.pay"


def test_what_is_no_event_is_counted_and_nothing_else_happens(bombarded: Bombarded) -> None:
    """R01, R06, R23"""
    metrics = bombarded.flower.get("/metrics").text
    rejected = re.finditer(r'flower_events_invalid_total{reason="(\w+)"} (\S+)', metrics)
    counted = {found[1]: float(found[2]) for found in rejected}
    assert counted["type"] == 2
    assert counted["hostname"] == 3
    assert counted["uuid"] == 3
    assert counted["content_type"] == 2
    assert counted["nesting"] + counted["undecodable"] + counted["encoding"] >= 6
    assert "\nflower_event_gaps_total 0.0" in metrics
    assert "\nflower_event_stream_up 1.0" in metrics
    assert "flower_events_dropped_total{" not in metrics
    output = bombarded.flower.process.output()
    assert "Event stream lost" not in output
    assert "Traceback" not in output
    assert output.count("Rejected an event") <= len(counted)


PAGES = ["/", "/workers", "/tasks?limit=1000", "/tasks?search=bad", "/plugins", f"/task/{GOOD[0]}"]


@pytest.mark.parametrize("page", PAGES)
def test_pages_hold_no_injected_element(bombarded: Bombarded, page: str) -> None:
    """S14, S15"""
    assert injected(bombarded.flower, page) == []


def test_pages_of_hostile_tasks_are_shown(bombarded: Bombarded) -> None:
    """S14, S15, R10, R11"""
    wrong = {uuid: found for uuid in TASKS if (found := injected(bombarded.flower, f"/task/{quote(uuid, safe='')}"))}
    assert wrong == {}


def test_pages_of_hostile_workers_are_shown(bombarded: Bombarded) -> None:
    """S14"""
    shown = {name: injected(bombarded.flower, f"/worker/{quote(name, safe='')}") for name in WORKERS}
    assert shown == {name: [] for name in WORKERS}


def test_a_worker_whose_heartbeats_make_no_sense_is_listed_and_online(bombarded: Bombarded, room: Room) -> None:
    """R08"""
    with Publisher(room) as publisher:
        publisher.send(HEARTBEATS["freq"])
    until(lambda: bombarded.flower.json("/api/workers?status=1")["freq@hostile"], "the worker is online")
    listed = {row["hostname"]: row for row in bombarded.flower.json("/workers?json=1")["data"]}
    assert set(WORKERS) <= set(listed)
    assert listed["freq@hostile"]["freq"] is None


@pytest.mark.parametrize(
    "path",
    [
        "/api/tasks",
        "/api/tasks?sort_by=-received&limit=1000",
        "/api/tasks?search=alert",
        "/api/task/types",
        "/api/workers",
        "/api/workers?status=1",
        "/api/plugins",
        "/api/queues/length",
        "/workers?json=1",
        TABLE,
    ],
)
def test_every_json_route_stays_strict(bombarded: Bombarded, path: str) -> None:
    """R11"""
    bombarded.flower.json(path)


def test_answers_keep_the_declared_shape(bombarded: Bombarded) -> None:
    """R11, S48"""
    contract = Contract(bombarded.flower.json("/api/openapi.json"))
    paths = contract.reads(next(iter(TASKS)), WORKERS[0])
    paths += [f"/api/task/info/{quote(uuid, safe='')}" for uuid in TASKS]
    paths += [f"/api/workers?workername={quote(name)}" for name in WORKERS] + ["/api/workers?status=1"]
    faults = {path: found for path in paths if (found := contract.faults(bombarded.flower.get(path)))}
    assert faults == {}


def test_every_hostile_task_is_strict_json(bombarded: Bombarded) -> None:
    for uuid in TASKS:
        info = bombarded.flower.json(f"/api/task/info/{quote(uuid, safe='')}")
        assert info["task-id"] == uuid
        assert len(json.dumps(info)) < 500_000


def test_nothing_a_message_says_is_believed_beyond_sense(bombarded: Bombarded) -> None:
    """R10, R11, R12"""
    tasks = bombarded.flower.json("/api/tasks")
    assert tasks["bad-custom"]["worker"] == "w1@hostile"
    assert tasks["bad-runtime-nan"]["runtime"] is None
    assert tasks["bad-runtime-negative"]["runtime"] is None
    assert tasks["bad-clock-huge"]["clock"] < 10**30
    assert abs(tasks["bad-timestamp-huge"]["received"] - time.time()) < 3600


def test_large_values_are_cut_and_not_kept(bombarded: Bombarded) -> None:
    """R14"""
    info = bombarded.flower.json("/api/task/info/large-00")
    assert len(info["args"]) <= 65_536
    assert "truncated" in info["args"]
    assert len(bombarded.flower.get(TABLE).content) < 20 * 2**20
    assert len(bombarded.flower.get("/tasks?limit=1000").content) <= 2**20
    assert bombarded.rss_after - bombarded.rss_before < 20 * 2**20


def test_bombs_do_not_hold_the_server_up(bombarded: Bombarded, room: Room) -> None:
    """R13"""
    bombs: list[Callable[[int], str]] = [
        lambda _: "(" * 5000,
        lambda _: "-" * 50_000,
        lambda _: "1+" * 25_000 + "1",
        lambda number: "{'a': " * 2000 + str(number),
    ]
    with Publisher(room) as publisher:
        for number in range(400):
            publisher.send(received(f"bomb-{number:03}", kwargs=bombs[number % 4](number)))
        slowest = 0.0

        def arrived() -> bool:
            nonlocal slowest
            asked = time.monotonic()
            assert bombarded.flower.get("/healthcheck").text == "OK"
            slowest = max(slowest, time.monotonic() - asked)
            return bombarded.flower.get("/api/task/info/bomb-399").status_code == 200

        until(arrived, "the last bomb is there")
    assert slowest < 1.0


class Elements(HTMLParser):
    """Collects elements that no template of ours writes."""

    def __init__(self) -> None:
        super().__init__()
        self.strange: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if (
            tag == "x-injected"
            or (tag == "script" and not (names.get("src") or "").startswith("/static/"))
            or (tag == "img" and names.get("src") == "x")
            or any(name.startswith("on") for name in names)
        ):
            self.strange.append(self.get_starttag_text() or tag)


def injected(flower: RunningFlower, path: str) -> list[str]:
    """Return what is wrong with a page: a status other than 200, its size, elements that came with data."""
    response = flower.get(path)
    if response.status_code != 200:
        return [f"{response.status_code} for {path}"]
    assert "script-src 'self';" in response.headers["Content-Security-Policy"]
    assert len(response.content) <= 2**20
    elements = Elements()
    elements.feed(response.text)
    elements.close()
    return elements.strange
