"""R01-R14 at the gateway: a bad message costs itself and nothing else."""

from __future__ import annotations

import json
import logging
import math
import pickle
import random
from collections.abc import Iterator
from typing import Any, cast

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flower.events.event import Event
from flower.events.gateway import Gateway
from flower.events.typed import TypedEvent, TypedReader
from flower_plugins import Messages

NOW = 1_700_000_000.0
GOOD: dict[str, Any] = {
    "type": "task-received",
    "hostname": "celery@a",
    "uuid": "u-1",
    "timestamp": NOW - 1,
    "clock": 7,
    "utcoffset": -2,
    "pid": 12,
    "name": "shop.order",
    "args": "(1,)",
    "kwargs": "{}",
    "retries": 0,
    "eta": None,
    "expires": None,
    "root_id": "u-0",
    "parent_id": None,
}


def gateway(**options: Any) -> Gateway:
    return Gateway(now=lambda: NOW, **options)


def body(**changes: Any) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in GOOD.items() if key != name}).encode()


def one(raw: Any, **kind: str) -> Event:
    (event,) = gateway().decode(Messages([raw], **kind))
    assert_sane(event)
    return event


def as_event(event: Event) -> Event:
    """Return the event as one of the class that readers know."""
    return Event(**{name: getattr(event, name) for name in Event.__struct_fields__})


def assert_sane(event: Event) -> None:
    """Check what every reader of an event relies on."""
    json.dumps(msgspec.to_builtins(event), allow_nan=False).encode("ascii")
    msgspec.json.encode(event)
    assert msgspec.convert(msgspec.to_builtins(event), Event) == as_event(event)
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if isinstance(value, str):
            value.encode()
            assert len(value) <= 65_536
        elif isinstance(value, float):
            assert math.isfinite(value)
    assert event.type
    assert event.hostname
    assert 0 < event.timestamp <= NOW + 86_400
    assert 0 <= event.clock <= 2**53
    assert event.runtime is None or event.runtime >= 0
    assert event.freq is None or event.freq > 0
    assert event.extra is None or len(event.extra) <= 32


def test_a_good_event_keeps_every_field() -> None:
    event = one(body())
    assert (event.type, event.hostname, event.uuid, event.clock) == ("task-received", "celery@a", "u-1", 7)
    assert (event.timestamp, event.received_at) == (NOW - 1, NOW)
    assert (event.pid, event.name, event.args, event.kwargs, event.retries) == (12, "shop.order", "(1,)", "{}", 0)
    assert (event.root_id, event.parent_id, event.invalid, event.extra) == ("u-0", None, (), None)


def test_a_heartbeat_keeps_every_field() -> None:
    heartbeat = {
        "type": "worker-heartbeat",
        "hostname": "celery@a",
        "timestamp": NOW,
        "freq": 2.0,
        "active": 1,
        "processed": 10,
        "loadavg": [0.5, 1, 2.25],
        "sw_ident": "py-celery",
        "sw_ver": "5.5.0",
        "sw_sys": "Linux",
    }
    event = one(json.dumps(heartbeat).encode())
    assert (event.freq, event.active, event.processed, event.loadavg) == (2.0, 1, 10, (0.5, 1.0, 2.25))
    assert (event.sw_ident, event.sw_ver, event.sw_sys, event.uuid) == ("py-celery", "5.5.0", "Linux", "")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param(without("type"), "type", id="R01 without type"),
        pytest.param(body(type=5), "type", id="R06 type is a number"),
        pytest.param(body(type="x" * 201), "type", id="type too long"),
        pytest.param(body(type=""), "type", id="empty type"),
        pytest.param(without("hostname"), "hostname", id="R06 without hostname"),
        pytest.param(body(hostname=5), "hostname", id="R09 hostname is a number"),
        pytest.param(body(hostname=["a"]), "hostname", id="R06 unhashable hostname"),
        pytest.param(without("uuid"), "uuid", id="R06 without uuid"),
        pytest.param(body(uuid={"a": 1}), "uuid", id="R06 unhashable uuid"),
        pytest.param(b"5", "not_an_event", id="R04 number"),
        pytest.param(b"null", "not_an_event", id="R04 null"),
        pytest.param(b'"x"', "not_an_event", id="R04 text"),
        pytest.param(b"{", "undecodable", id="R05 broken JSON"),
        pytest.param(b"", "undecodable", id="R05 empty"),
        pytest.param(b'{"type": "\xff"}', "undecodable", id="R05 not UTF-8"),
        pytest.param(b"[" * 100_000, "nesting", id="R05 100 k levels"),
        pytest.param(b'{"a":' * 100_000, "nesting", id="R05 100 k levels of mappings"),
        pytest.param(b" " * (17 * 2**20), "too_large", id="17 MB"),
        pytest.param(None, "not_an_event", id="decoded null"),
        pytest.param(object(), "not_an_event", id="decoded object"),
        pytest.param(json.dumps({**GOOD, "type": "task-multi", "uuid": None}).encode(), "uuid", id="no such mapping"),
    ],
)
def test_a_bad_message_is_counted_and_the_hundred_around_it_arrive(bad: Any, reason: str) -> None:
    """R01-R06, R09."""
    door = gateway()
    bodies = [body(uuid=f"u-{n}") for n in range(100)]
    events = door.decode(Messages([*bodies[:50], bad, *bodies[50:]]))
    assert [event.uuid for event in events] == [f"u-{n}" for n in range(100)]
    assert dict(door.rejected) == {reason: 1}
    assert door.accepted == 100


def test_a_list_of_numbers_counts_each_r04() -> None:
    door = gateway()
    assert door.decode(Messages([b"[1,2]"])) == []
    assert dict(door.rejected) == {"not_an_event": 2}


@pytest.mark.parametrize("clock", ["abc", None, 10**30, -1, 1.5, True, [1], math.inf])
def test_a_clock_that_makes_no_sense_is_zero_r03_r12(clock: Any) -> None:
    event = one(body(clock=clock))
    assert event.clock == 0
    assert event.uuid == "u-1"


@pytest.mark.parametrize("timestamp", ["yesterday", 1e20, math.nan, -1, True, [NOW], NOW + 90_000, 10**400])
def test_an_absurd_timestamp_becomes_the_time_of_arrival_r03_r12(timestamp: Any) -> None:
    event = one(body(timestamp=timestamp))
    assert event.timestamp == NOW
    assert event.invalid == ("timestamp",)


def test_a_missing_timestamp_becomes_the_time_of_arrival_r06() -> None:
    event = one(without("timestamp"))
    assert (event.timestamp, event.invalid) == (NOW, ())


@pytest.mark.parametrize("skew", [-3600, 3600])
def test_a_clock_an_hour_off_is_kept_for_readers_to_see(skew: int) -> None:
    assert one(body(timestamp=NOW + skew)).timestamp == NOW + skew


@pytest.mark.parametrize("offset", ["x", 14, None, [], 10**30])
def test_utcoffset_changes_nothing_r03(offset: Any) -> None:
    assert one(body(utcoffset=offset)) == one(body())


def test_one_bad_event_inside_task_multi_costs_only_itself_r07() -> None:
    door = gateway()
    batch: list[Any] = [{**GOOD, "uuid": f"u-{n}"} for n in range(100)]
    batch.insert(50, {"hostname": "h", "type": None})
    events = door.decode(Messages([json.dumps(batch).encode()]))
    assert [event.uuid for event in events] == [f"u-{n}" for n in range(100)]
    assert (door.accepted, dict(door.rejected)) == (100, {"type": 1})


def test_a_message_of_many_thousand_events_is_cut_and_the_rest_counted() -> None:
    door = gateway()
    events = door.decode(Messages([[GOOD] * 10_005]))
    assert len(events) == 10_000
    assert dict(door.rejected) == {"too_many": 5}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("freq", "2s"),
        ("freq", 0),
        ("freq", 1e300),
        ("freq", [2]),
        ("runtime", math.nan),
        ("runtime", -0.5),
        ("runtime", "1.5"),
        ("runtime", math.inf),
        ("pid", "x"),
        ("pid", True),
        ("retries", -1),
        ("retries", [1]),
        ("active", 1.5),
        ("processed", 10**30),
        ("loadavg", "high"),
        ("loadavg", [1, "x"]),
        ("loadavg", [math.nan]),
        ("loadavg", [1] * 1000),
    ],
)
def test_a_number_that_makes_no_sense_is_left_out_and_named_r08_r11(name: str, value: Any) -> None:
    event = one(body(**{name: value}))
    assert getattr(event, name) is None
    assert event.invalid == (name,)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([1, "a"], '[1,"a"]'),
        ({"a": None}, '{"a":null}'),
        (True, "true"),
        (5, "5"),
        ([math.nan], "[NaN]"),
        ({"__type__": "datetime", "__value__": "2026-01-01T00:00:00"}, "2026-01-01T00:00:00"),
        ("<script>", "<script>"),
        ("a\ud800b", "a\ufffdb"),
        ("\U0001f600", "\U0001f600"),
    ],
)
@pytest.mark.parametrize("name", ["args", "result", "eta", "queue"])
def test_a_text_field_is_always_text_s15(name: str, value: Any, text: str) -> None:
    assert getattr(one(body(**{name: value})), name) == text


def test_custom_keys_go_to_extra_and_nowhere_else_r10() -> None:
    event = one(body(type="task-progress", worker="w1", percent=40, step={"n": [1, None]}, state="X", __class__="y"))
    assert event.extra == {"worker": "w1", "percent": 40, "step": {"n": [1, None]}, "state": "X", "__class__": "y"}
    assert isinstance(event, Event)
    with pytest.raises(AttributeError):
        _ = event.worker  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (10**30, "1" + "0" * 30),
        (math.nan, "NaN"),
        ([[[[[[1]]]]]], "[[[[[[1]]]]]]"),
        ("a\ud800", "a\ufffd"),
        ({"k": math.inf}, '{"k":Infinity}'),
    ],
)
def test_extra_holds_only_what_json_can(value: Any, kept: Any) -> None:
    assert one(body(x=value)).extra == {"x": kept}


def test_extra_is_bounded_in_keys_and_size() -> None:
    many = {f"k{n}": n for n in range(1000)}
    extra = one(body(**many, **{"long" * 100: 1})).extra
    assert extra is not None
    assert len(extra) == 32
    big = one(body(**{f"k{n}": ["x" * 3000] * 9 for n in range(100)})).extra
    assert big is not None
    assert len(json.dumps(big)) < 80_000


def test_an_event_of_100000_keys_keeps_its_known_ones() -> None:
    monster = {**{f"k{n}": n for n in range(100_000)}, **GOOD}
    assert one(json.dumps(monster).encode()).name == "shop.order"


@pytest.mark.parametrize(
    "bomb", ["(" * 5000, "-" * 100_000, "1+" * 100_000, "{[1]:2}", "[" * 5000], ids=["(", "-", "1+", "{[", "["]
)
def test_an_expression_bomb_stays_text_r13(bomb: str) -> None:
    event = one(body(kwargs=bomb, args=bomb))
    assert event.kwargs is not None
    assert event.kwargs.startswith(bomb[:100])


def test_a_huge_value_is_cut_with_a_mark_r14() -> None:
    events = gateway().decode(Messages([body(args="x" * 5_242_880)] * 4))
    for event in events:
        assert event.args is not None
        assert len(event.args) == 65_536
        assert event.args.endswith("… (truncated, 5242880 characters)")


def test_the_cut_is_where_value_limit_says() -> None:
    (event,) = gateway(value_limit=100).decode(Messages([body(result="x" * 101, kwargs="y" * 100)]))
    assert event.result == "x" * 71 + "… (truncated, 101 characters)"
    assert event.kwargs == "y" * 100


def test_a_name_is_cut_earlier_than_a_value() -> None:
    name = one(body(name="n" * 5000)).name
    assert name is not None
    assert len(name) == 1000


def test_a_uuid_object_becomes_its_text() -> None:
    wrapped = {"__type__": "uuid", "__value__": {"hex": "0123456789abcdef0123456789abcdef"}}
    assert one(body(uuid=wrapped)).uuid == "01234567-89ab-cdef-0123-456789abcdef"


def test_a_custom_event_needs_no_uuid() -> None:
    event = one(json.dumps({"type": "disk-full", "hostname": "h", "uuid": 5}).encode())
    assert (event.uuid, event.invalid) == ("", ("uuid",))


@pytest.mark.parametrize("raw", [GOOD, bytearray(body()), memoryview(body()), body().decode()])
def test_a_body_may_come_decoded_or_in_any_buffer(raw: Any) -> None:
    assert one(raw) == one(body())


def test_pickle_is_refused_unless_the_accept_set_names_it_r05() -> None:
    message = Messages([pickle.dumps(GOOD)], content_type="application/x-python-serialize", content_encoding="binary")
    door = gateway()
    assert door.decode(message) == []
    assert dict(door.rejected) == {"content_type": 1}
    (event,) = gateway(accept=frozenset(("json", "pickle"))).decode(message)
    assert event.uuid == "u-1"


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/data", "x" * 10_000, "a\nb"])
def test_an_unknown_content_type_is_refused_r05(content_type: str) -> None:
    door = gateway()
    assert door.decode(Messages([body()], content_type=content_type)) == []
    assert dict(door.rejected) == {"content_type": 1}


def test_a_flood_of_bad_messages_costs_one_log_line_per_reason(caplog: pytest.LogCaptureFixture) -> None:
    """R05, R06, S52: and what the line quotes is escaped."""
    door = gateway()
    with caplog.at_level(logging.DEBUG):
        door.decode(Messages([b"5", body(type="a\n\x1b[31m\u2028", hostname=5)] * 1000))
    assert len(caplog.messages) == 2
    assert all(line.isprintable() and line.isascii() for line in caplog.messages)
    assert sum(door.rejected.values()) == 2000


class _Vicious(dict[str, Any]):
    def items(self) -> Any:
        raise MemoryError

    def get(self, key: str, default: Any = None) -> Any:
        raise RecursionError


def test_an_object_that_raises_when_touched_is_only_counted() -> None:
    door = gateway()
    assert door.decode(Messages([_Vicious(GOOD), [_Vicious()]])) == []
    assert dict(door.rejected) == {"undecodable": 2}


CORPUS: list[bytes] = [
    body(),
    json.dumps([GOOD, GOOD, 5]).encode(),
    without("type"),
    without("uuid"),
    without("hostname"),
    without("timestamp"),
    *(body(**{name: odd}) for name in GOOD for odd in cast(list[object], [5, [], {}, math.nan, "\ud800"])),
    *(body(**{name: 10**40}) for name in ("runtime", "freq", "clock", "timestamp", "pid", "loadavg")),
    body(type="worker-heartbeat", freq="2s", loadavg=[1, None]),
    body(type="task-progress", worker="w1", heartbeats=["x"]),
    b"5",
    b"null",
    b"[]",
    b"{}",
    b"[[[]]]",
    b'{"type":"task-\\u0000","hostname":"\\ud83d","uuid":"\\udc00"}',
    b'{"type":"a","hostname":"b","x":1e999,"y":-Infinity}',
    b'{"type":"a","hostname":"b","x":' + b"9" * 5000 + b"}",
    b"\xff\xfe\x00",
    b"\x80\x04]q\x00.",
    b"[" * 2000,
]


def _mutations(number: int) -> Iterator[bytes]:
    chance = random.Random(20240131)
    for n in range(number):
        raw = bytearray(CORPUS[n % len(CORPUS)])
        for _ in range(chance.randrange(4)):
            position = chance.randrange(len(raw) + 1)
            if chance.random() < 0.5:
                raw[position : position + chance.randrange(9)] = b""
            else:
                raw[position:position] = bytes(chance.choices(b'{}[]",:0123456789eE-.\\untrlfse\xff\x00', k=3))
        yield bytes(raw)


def test_100000_hostile_messages_add_up() -> None:
    """The corpus and its mutations, in JSON, msgpack and broken encodings: nothing raises, the counters add up."""
    door = gateway()
    kinds = [
        {},
        {},
        {},
        {"content_type": "application/x-msgpack"},
        {"content_encoding": "utf-16"},
        {"compression": "gzip"},
    ]
    bodies = list(_mutations(100_000))
    accepted = 0
    for start in range(0, len(bodies), 500):
        piece = bodies[start : start + 500]
        before = door.accepted + sum(door.rejected.values())
        events = door.decode(Messages(piece, **kinds[start // 500 % len(kinds)]))
        accepted += len(events)
        seen = door.accepted + sum(door.rejected.values()) - before
        # A list counts once for each of its items, an empty one not at all.
        assert seen >= len(events)
        assert seen >= sum(1 for raw in piece if b"[" not in raw)
        for event in events[::50]:
            assert_sane(event)
    assert door.accepted == accepted > 10_000
    assert len(door.rejected) <= 12


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=20)
    | st.binary(max_size=10)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SCALARS, inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=12,
)
KEYS = st.sampled_from([*Event.__struct_fields__, "utcoffset", "worker"]) | st.text(max_size=8) | st.integers()
TYPES = st.sampled_from(["task-sent", "task-failed", "worker-online", "custom"])
LIKELY = st.fixed_dictionaries({"type": TYPES, "hostname": st.just("h"), "uuid": st.text(max_size=5)})

MAPPINGS = st.builds(lambda likely, odd: {**likely, **odd}, LIKELY, st.dictionaries(KEYS, VALUES, max_size=6))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.builds(lambda likely, odd: {**likely, **odd}, LIKELY, st.dictionaries(KEYS, VALUES, max_size=6)), max_size=20
    )
)
def test_any_mapping_becomes_a_sane_event_or_one_rejection(items: list[dict[Any, Any]]) -> None:
    door = gateway()
    events = door.decode(Messages(items))
    assert door.accepted == len(events)
    assert door.accepted + sum(door.rejected.values()) == len(items)
    for event in events:
        assert_sane(event)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_any_bytes_of_any_kind_never_raise(raw: bytes, content_type: str, encoding: str, compression: str) -> None:
    door = gateway(accept=frozenset(("json", "msgpack", "yaml")))
    kinds = [Messages([raw], kind, encoding, "") for kind in ("application/json", "application/x-msgpack")]
    kinds += [Messages([raw], content_type, encoding, compression), Messages([raw], "application/x-yaml")]
    for messages in kinds:
        for event in door.decode(messages):
            assert_sane(event)


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(
        [0, -1, 2**53, 2**53 + 1, 2**64, 1e9, 1e9 + 1, 86_400, 86_401, -0.0, "", [], {}, [1] * 17, "\ud800"]
    )
    | st.integers(190, 1100).map("é".__mul__)
    | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
JSON_KEYS = st.sampled_from([*TypedEvent.__struct_fields__, "worker", ""])
JSON_EVENTS = st.builds(
    lambda likely, odd: {**likely, **odd},
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["task-received", "worker-heartbeat", "task-", "x"]),
            "hostname": st.just("h"),
            "timestamp": st.sampled_from([NOW, NOW + 86_400, NOW + 86_401, 0, 1]) | st.floats(),
        },
        optional={
            "uuid": st.text(max_size=2),
            "clock": st.integers(-1, 2**54),
            "runtime": st.floats(0, 2e9) | st.integers(0, 5),
            "retries": st.integers(0, 3) | st.just(1.0),
            "args": st.text(max_size=5) | st.integers(1000, 2100).map("y".__mul__),
            "utcoffset": st.integers(),
        },
    ),
    st.dictionaries(JSON_KEYS, JSON_VALUES, max_size=3),
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(JSON_EVENTS | st.lists(JSON_EVENTS, max_size=3) | JSON_VALUES, max_size=5), st.booleans())
def test_the_fast_way_and_the_slow_way_make_equal_events(payloads: list[Any], is_ascii: bool) -> None:
    bodies = [json.dumps(payload, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass") for payload in payloads]
    fast, slow = gateway(value_limit=2000), gateway(value_limit=2000)
    events = fast.decode(Messages(bodies))
    # Only bytes are read fast; a memoryview of them is not.
    assert [*map(msgspec.to_builtins, events)] == [
        *map(msgspec.to_builtins, slow.decode(Messages([memoryview(raw) for raw in bodies])))
    ]
    assert (fast.accepted, dict(fast.rejected)) == (slow.accepted, dict(slow.rejected))


@pytest.mark.parametrize("name", ["received_at", "invalid", "extra"])
@pytest.mark.parametrize("value", [None, 5, [], ["freq"], {}, {"a": 1}, "x"])
def test_what_only_the_gateway_may_set_cannot_be_sent(name: str, value: Any) -> None:
    event = one(body(**{name: value}))
    assert (event.received_at, event.invalid, event.extra) == (NOW, (), {name: value})


def test_an_ordinary_event_is_read_fast() -> None:
    events: list[Event] = []
    reader = TypedReader(NOW, NOW + 1, 65_536)
    multi = json.dumps([GOOD] * 3).encode()
    assert [reader.read(raw, events) for raw in (body(), multi, bytearray(body()))] == [True, True, False]
    assert [event.uuid for event in events] == ["u-1"] * 4


def test_a_long_batch_is_read_fast_and_only_a_long_value_slowly() -> None:
    events: list[Event] = []
    reader = TypedReader(NOW, NOW + 1, 1000)
    assert reader.read(json.dumps([{**GOOD, "args": "x" * 1000}] * 9).encode(), events)
    assert not reader.read(json.dumps([GOOD, {**GOOD, "args": "x" * 1001}]).encode(), events)
    assert not reader.read(body(args="x" * 1001), events)
    assert len(events) == 9
