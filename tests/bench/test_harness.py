"""The harness itself: its events are what Celery sends, its clock and memory readings are true, its sums are right."""

from __future__ import annotations

import json
import math
import mmap
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import islice
from threading import Event as Signal
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import amqp
import pytest
import redis
from celery import Celery
from celery.events import EventReceiver
from tests.bench import report, traffic
from tests.bench.brokers import broker
from tests.bench.figures import Figure, Figures, Quantity, Spread, exponent, times
from tests.bench.probe import Client, Lag, Latency, cpu_seconds, open_files, percentile, pss_bytes, threads
from tests.bench.publisher import publishing
from tests.bench.run import SCENARIOS
from tests.bench.scenarios.tasks import BESIDE, endpoints
from tests.bench.servers import BOTH, OURS, PEER
from tests.bench.targets import TARGETS, Target
from tests.bench.trial import LAG, RATE, TIME
from tests.bench.wire import AmqpWire, RedisWire, grouped

Event = dict[str, Any]

SECONDS = Quantity("time", "s")


@pytest.fixture(scope="module")
def redis_url(need_service: Callable[[str], str]) -> Iterator[str]:
    need_service("redis")
    with broker("redis") as url:
        yield url


@pytest.fixture(scope="module")
def rabbitmq_url(need_service: Callable[[str], str]) -> Iterator[str]:
    need_service("rabbitmq")
    with broker("rabbitmq", borrow=True) as url:
        yield url


@pytest.fixture(params=["redis_url", "rabbitmq_url"])
def url(request: pytest.FixtureRequest) -> str:
    """Return a broker of one's own."""
    return str(request.getfixturevalue(request.param))


def received(url: str, publish: Callable[[], None], number: int) -> list[Event]:
    """Return what Celery's own receiver makes of the events that `publish` sends."""
    events: list[Event] = []
    app = Celery(broker=url)
    with app.connection_for_read() as connection:
        receiver = EventReceiver(connection, handlers={"*": events.append}, app=app)
        with receiver.consumer_context(wakeup=False) as (reading, _, _):
            deadline = time.monotonic() + 20
            # Redis subscribes on some read after this: a canary tells that it has.
            while not events and time.monotonic() < deadline:
                dispatch(url, {"type": "worker-online", "hostname": "canary@bench"})
                drain(reading, 0.2)
            publish()
            while sum(map(_is_task, events)) < number and time.monotonic() < deadline:
                drain(reading, 0.5)
    return list(filter(_is_task, events))


def _is_task(event: Event) -> bool:
    return str(event["type"]).startswith("task-")


def drain(connection: Any, seconds: float) -> None:
    try:
        connection.drain_events(timeout=seconds)
    except TimeoutError:
        return


@pytest.mark.parametrize("multi", [False, True])
def test_celery_receives_what_the_publisher_sends(url: str, multi: bool) -> None:
    with publishing(url) as publisher:
        prepared = publisher.prepare(700, every=100, multi=multi, heartbeats=False)
        events = received(url, publisher.begin, prepared.events)
        sending = publisher.finish()
    assert len(events) == prepared.events == sending.events
    uuids = {event["uuid"] for event in events}
    markers = {traffic.marker_uuid(prepared.run, number) for number in range(prepared.markers)}
    assert markers < uuids
    assert len(sending.markers) == prepared.markers
    plain = [event for event in events if event["uuid"] not in markers]
    expected = list(islice(traffic.Traffic(), 700))
    assert sorted(map(_essence, plain)) == sorted(map(_essence, expected))


def _essence(event: Event) -> tuple[str, ...]:
    fields = ("type", "hostname", "uuid", "name", "args", "kwargs", "result", "exception", "runtime")
    return tuple(repr(event.get(field)) for field in fields)


@pytest.mark.parametrize("multi", [False, True])
def test_a_message_on_redis_is_what_celery_publishes(redis_url: str, multi: bool) -> None:
    ours = islice(traffic.Traffic(), 300)
    payload: Any = next(item for item in (grouped(ours) if multi else ours) if isinstance(item, list) == multi)
    with redis.Redis.from_url(redis_url) as client, client.pubsub() as channel:
        channel.psubscribe("/0.celeryev/*")
        assert channel.get_message(timeout=5)
        dispatch(redis_url, payload)
        theirs = _message(channel)
        command = RedisWire(0).encode(payload)
        client.connection_pool.get_connection().send_packed_command([command])
        mine = _message(channel)
    assert mine["channel"] == theirs["channel"]
    envelopes = [json.loads(message["data"]) for message in (theirs, mine)]
    for envelope in envelopes:
        envelope.pop("body")
        assert len(envelope["properties"].pop("delivery_tag")) == 36
    assert envelopes[0] == envelopes[1]
    assert list(envelopes[0]) == list(envelopes[1])


def _message(channel: Any) -> Any:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        message = channel.get_message(timeout=1)
        if message is not None:
            return message
    raise AssertionError("nothing was published")


def dispatch(url: str, payload: Event | list[Event]) -> None:
    """Send events by Celery's own dispatcher."""
    events = payload if isinstance(payload, list) else [payload]
    app = Celery(broker=url)
    groups = {"task"} if isinstance(payload, list) else set()
    with (
        app.connection_for_write() as connection,
        app.events.Dispatcher(
            connection, hostname=events[0]["hostname"], buffer_group=groups, buffer_limit=1000
        ) as dispatcher,
    ):
        for event in events:
            dispatcher.send(**{name: value for name, value in event.items() if name not in _MADE_BY_DISPATCHER})
        dispatcher.flush()


_MADE_BY_DISPATCHER = frozenset(("hostname", "utcoffset", "pid", "clock", "timestamp"))


def test_a_message_on_rabbitmq_is_what_celery_publishes(rabbitmq_url: str) -> None:
    event = next(iter(traffic.Traffic()))
    connection = amqp.Connection(
        "127.0.0.1:5672", "guest", "guest", virtual_host=urlsplit(rabbitmq_url).path[1:], heartbeat=0
    )
    connection.connect()
    channel = connection.channel(1)
    channel.exchange_declare("celeryev", "topic", durable=True, auto_delete=False)
    queue = channel.queue_declare("", exclusive=True).queue
    channel.queue_bind(queue, "celeryev", "task.sent")
    got: list[Any] = []
    channel.basic_consume(queue, no_ack=True, callback=got.append)
    dispatch(rabbitmq_url, event)
    connection.transport.sock.sendall(AmqpWire(connection.frame_max).encode(event))
    while len(got) < 2:
        connection.drain_events(timeout=5)
    connection.close()
    theirs, mine = got
    assert mine.properties == theirs.properties
    assert mine.delivery_info["routing_key"] == theirs.delivery_info["routing_key"] == "task.sent"
    assert json.loads(mine.body).keys() == json.loads(theirs.body).keys()


def test_a_body_larger_than_a_frame_is_split() -> None:
    event = {"type": "task-sent", "hostname": "h", "args": "x" * 10_000}
    whole, split = AmqpWire(131_072).encode(event), AmqpWire(4_096).encode(event)
    assert len(split) == len(whole) + 2 * 8


def test_traffic_is_the_same_in_every_run_and_of_every_kind() -> None:
    first, second = (list(islice(traffic.Traffic(), 20_000)) for _ in range(2))
    assert [_essence(event) for event in first] == [_essence(event) for event in second]
    kinds = Counter(event["type"] for event in first)
    assert set(kinds) == {f"task-{kind}" for kind in ("sent", "received", "started", "succeeded", "failed", "retried")}
    assert len({event["name"] for event in first if "name" in event}) == 50
    assert len({event["hostname"] for event in first}) == 21
    clocks = [event["clock"] for event in first]
    assert clocks == sorted(set(clocks))
    sizes = [len(RedisWire(0).encode(event)) for event in first]
    assert 800 < sum(sizes) / len(sizes) < 1_200


def test_grouped_messages_hold_events_of_one_worker_in_order() -> None:
    events = list(islice(traffic.Traffic(), 5_000))
    messages = list(grouped(events))
    lists = [message for message in messages if isinstance(message, list)]
    assert max(map(len, lists)) == 24
    assert all(len({event["hostname"] for event in message}) == 1 for message in lists)
    flat = [event for message in messages for event in (message if isinstance(message, list) else [message])]
    assert sorted(event["clock"] for event in flat) == [event["clock"] for event in events]


def test_the_publisher_keeps_to_a_rate_and_stops_when_told(redis_url: str) -> None:
    with publishing(redis_url) as publisher:
        publisher.prepare(500)
        assert publisher.send(2_000).rate == pytest.approx(2_000, rel=0.2)
        publisher.prepare(20_000)
        publisher.begin(1_000)
        assert publisher.sending
        publisher.stop()
        assert 0 <= publisher.finish().events < 10_000


def test_a_dead_publisher_is_reported() -> None:
    with publishing("redis://127.0.0.1:1/0") as publisher, pytest.raises((RuntimeError, BrokenPipeError)):
        publisher.prepare(1)


def test_processor_time_and_memory_are_those_of_the_process() -> None:
    before, own = cpu_seconds(os.getpid()), time.process_time()
    while time.process_time() - own < 0.05:
        sum(range(1000))
    assert 0.04 < cpu_seconds(os.getpid()) - before < 1.0
    small = pss_bytes(os.getpid())
    with mmap.mmap(-1, 30_000_000) as block:  # Not from the heap, which may have as much to spare.
        block.write(b"x" * len(block))
        assert pss_bytes(os.getpid()) - small > 25_000_000


def test_files_and_threads_are_those_of_the_process() -> None:
    files, running, done = open_files(os.getpid()), threads(os.getpid()), Signal()
    waiting = Thread(target=done.wait)
    waiting.start()
    with open(os.devnull):
        assert open_files(os.getpid()) == files + 1
    assert threads(os.getpid()) == running + 1
    done.set()
    waiting.join()


class Pages(BaseHTTPRequestHandler):
    """Answers with a length, in chunks, or not at all."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b'flower_events_total{task="a"} 3.0\nflower_events_total{task="b} c"} 4.0\nflower_events_other 9\n'
        known = self.path in ("/metrics", "/chunks")
        self.send_response(200 if known else 404)
        if self.path == "/chunks":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for at in range(0, len(body), 7):
                piece = body[at : at + 7]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_the_client_reads_lengths_and_chunks_and_sums_metrics(port: int) -> None:
    client = Client(port)
    try:
        assert client.get("/chunks").body == client.get("/metrics").body
        assert client.total("flower_events_total") == 7
        latency = client.latency("/metrics", 0.01)
        assert isinstance(latency, Latency)
        assert latency.count >= 3
        assert 0 < latency.p50 <= latency.p99
        assert client.latency("/elsewhere", 0.01) == 404
    finally:
        client.close()


def test_a_marker_never_seen_counts_as_infinitely_late(port: int) -> None:
    client = Client(port)
    try:
        lag = Lag(client, ["never"])
        assert not lag.look()
        assert lag.behind([1.0, 2.0]) == [math.inf, math.inf]
        lag.seen.append(1.5)
        assert lag.complete
        assert lag.behind([1.0, 2.0]) == [0.5, math.inf]
    finally:
        client.close()


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([3, 1, 2], 0.5, 2),
        ([1], 0.99, 1),
        (range(1, 101), 0.99, 99),
        (range(1, 101), 0.5, 50),
        (range(1, 51), 0.99, 50),
    ],
)
def test_percentiles_are_values_that_were_measured(values: Any, share: float, expected: float) -> None:
    assert percentile(list(values), share) == expected


def test_gains_are_ratios_of_pairs_and_point_upwards() -> None:
    figures = Figures()
    for repetition, (ours, peer) in enumerate([(10.0, 100.0), (20.0, 100.0), (30.0, 90.0)]):
        figures.add("s", "redis", OURS, repetition, Figure("x", SECONDS, ours))
        figures.add("s", "redis", PEER, repetition, Figure("x", SECONDS, peer))
        figures.add("s", "redis", OURS, repetition, Figure("x", RATE, ours))
        figures.add("s", "redis", PEER, repetition, Figure("x", RATE, peer))
    figures.add("s", "redis", OURS, 3, Figure("x", SECONDS, 1.0))
    cost, rate = figures.keys("s")
    assert figures.gain(cost, OURS, PEER) == Spread(5.0, 3.0, 10.0)
    assert figures.gain(rate, OURS, PEER) == Spread(0.2, 0.1, 30 / 90)
    assert figures.spread(cost, OURS) == Spread(15.0, 1.0, 30.0)
    assert figures.find("s", "redis", "x*", "time") == [cost]
    assert not figures.find("s", "redis", "x", "time", part="elsewhere")


def test_rounds_of_a_trial_of_both_sides_are_pairs() -> None:
    figures = Figures()
    for number, (ours, peer) in enumerate([(1.0, 2.0), (4.0, 12.0), (2.0, 8.0)]):
        figures.add("s", "redis", BOTH, 0, Figure("x", SECONDS, ours, side=OURS, round=number))
        figures.add("s", "redis", BOTH, 0, Figure("x", SECONDS, peer, side=PEER, round=number))
    (cost,) = figures.keys("s")
    assert figures.gain(cost, OURS, PEER) == Spread(3.0, 2.0, 4.0)
    assert figures.spread(cost, PEER) == Spread(8.0, 2.0, 12.0)


def test_growth_is_the_slope_between_logarithms() -> None:
    assert exponent([(10, 7), (100, 7), (1_000, 7)]) == pytest.approx(0)
    assert exponent([(10, 5), (100, 50), (1_000, 500)]) == pytest.approx(1)
    assert exponent([(10, 1), (1_000, 10)]) == pytest.approx(0.5)


@pytest.mark.parametrize(("value", "at_least", "met"), [(25, True, "aim"), (12, True, "floor"), (9, True, "**no**")])
def test_a_target_is_held_against_floor_and_aim(value: float, at_least: bool, met: str) -> None:
    target = Target("t", 10, 20, "", lambda _: (value, "text"), at_least)
    verdict = target.judge(Figures())
    assert verdict is not None
    assert verdict.met == met
    downwards = replace(target, floor=20, aim=10, at_least=False, read=lambda _: (30 - value, "text"))
    verdict = downwards.judge(Figures())
    assert verdict is not None
    assert verdict.met == ("aim" if value >= 20 else "floor" if value >= 10 else "**no**")


def test_every_target_reads_a_figure_that_some_scenario_yields() -> None:
    """Every subject that a target names is fed, and every target then has a verdict."""
    figures = Figures()

    def feed(scenario: str, broker: str, subject: str, quantity: Quantity, part: str = "") -> None:
        for side, value in ((OURS, 2.0), (PEER, 8.0)):
            figures.add(scenario, broker, side, 0, Figure(subject, quantity, value, part=part))

    for name in ("redis", "rabbitmq"):
        feed("burst", name, "single", RATE)
        feed("cost", name, "common rate", Quantity("cpu", "s"))
        feed("pace", name, "lag < 100 ms", RATE)
        feed("overload", name, "named rate: lost", Quantity("lost", "events"))
        feed("overload", name, "named rate: lost in silence", Quantity("unsaid", "events"))
    feed("generic", "redis", "single", RATE)
    feed("ingest", "redis", "requests", LAG)
    feed("idle", "redis", "start-up", Quantity("started", "s"))
    feed("idle", "redis", "idle processor", Quantity("share", "%"))
    feed("idle", "redis", "idle memory", Quantity("memory", "bytes"))
    for size in (100_000, 1_000_000):
        feed("tasks", "redis", "memory", Quantity("per task", "bytes"), part=f"{size:,} tasks")
        for subject in endpoints(size, ""):
            feed("tasks", "redis", subject, TIME, part=f"{size:,} tasks")
            feed("tasks", "redis", subject, LAG, part=f"{size:,} tasks")
    for subject in endpoints(100_000, ""):
        feed("tasks", "redis", subject, TIME, part=BESIDE)
        feed("tasks", "redis", subject, LAG, part=BESIDE)
    assert [target.label for target in TARGETS if target.judge(figures) is None] == []
    page = report.render(report.Run(figures, SCENARIOS, ("redis", "rabbitmq"), True))
    assert "without a figure" not in page
    assert "| Search, 100,000 tasks | ≥ 4" in page
    assert page.count("### 100,000 tasks\n") == 1
    for row in (line for line in page.splitlines() if line.startswith("| list: newest ")):
        assert row.count("|") == 7


def test_the_report_says_what_it_has_no_figure_for_and_names_no_machine() -> None:
    page = report.render(report.Run(Figures(), SCENARIOS, ("redis",), False, ["RabbitMQ: not installed."]))
    assert "- RabbitMQ: not installed." in page
    assert "without a figure in this run: Redis burst" in page
    assert os.uname().nodename not in page
    assert os.getcwd() not in page


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "s", "0"),
        (0.01234, "s", "0.0123"),
        (12345.6, "s", "12,346"),
        (5 * 2**20, "bytes", "5.0 MB"),
        (math.inf, "s", "∞"),
    ],
)
def test_numbers_are_written_to_three_digits(value: float, unit: str, text: str) -> None:
    assert report.number(value, Quantity("x", unit)) == text


def test_factors_are_written_with_a_sign() -> None:
    assert [times(value)[:-1] for value in (0.1234, 12.345, 1234.5)] == ["0.123", "12.3", "1,234"]
