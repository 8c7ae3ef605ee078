"""The frame reader: streams written with py-amqp's own encoder, cut anywhere, damaged, and endless."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest
from amqp.basic_message import Message
from amqp.serialization import dumps
from hypothesis import given, settings
from hypothesis import strategies as st

from flower_broker_rabbitmq.frames import HEARTBEAT, FrameReader, Method, ProtocolError, method_frame
from flower_plugins import Messages

CHANNEL = 7
FRAME_MAX = 4096
LIMIT = 3000
JSON = {"content_type": "application/json", "content_encoding": "utf-8"}
ZLIB = {**JSON, "application_headers": {"hostname": "w1", "compression": "application/x-gzip"}}
MSGPACK = {"content_type": "application/x-msgpack", "content_encoding": "binary", "priority": 0}
BLOCKED = method_frame(0, 10, 60, b"\x06memory")


def frame(kind: int, payload: bytes, channel: int = CHANNEL) -> bytes:
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def deliver() -> bytes:
    return method_frame(CHANNEL, 60, 60, dumps("sLbss", ["tag", 1, False, "celeryev", "task.sent"]))


def header(size: int, properties: dict[str, Any]) -> bytes:
    return frame(2, struct.pack(">HHQ", 60, 0, size) + Message("", **properties)._serialize_properties())


def message(body: bytes, properties: dict[str, Any] = JSON, pieces: int = FRAME_MAX - 8, between: bytes = b"") -> bytes:
    parts = [deliver(), header(len(body), properties)]
    parts += [frame(3, body[start : start + pieces]) for start in range(0, len(body), pieces)]
    return between.join(parts)


class Reading:
    """A reader and everything it said."""

    def __init__(self, **options: Any) -> None:
        self.batches: list[Messages] = []
        self.heard: list[object] = []
        self.reader = FrameReader(
            CHANNEL,
            options.get("frame_max", FRAME_MAX),
            offer=self.offer,
            obey=self.heard.append,
            message_limit=options.get("message_limit", LIMIT),
        )

    def offer(self, batch: Messages) -> None:
        assert batch.bodies
        self.batches.append(batch)
        self.heard.extend(batch.bodies)

    def feed(self, *chunks: bytes) -> Reading:
        for chunk in chunks:
            self.reader.feed(chunk)
        return self

    @property
    def messages(self) -> list[tuple[Any, str, str, str]]:
        return [
            (body, batch.content_type, batch.content_encoding, batch.compression)
            for batch in self.batches
            for body in batch.bodies
        ]


STREAM = (
    message(b'{"a": 1}')
    + HEARTBEAT
    + message(b"x" * 900, ZLIB, pieces=400)
    + message(b"", MSGPACK)
    + BLOCKED
    + message(b"z" * (LIMIT + 1), MSGPACK)
    + message(b"[]", between=HEARTBEAT + BLOCKED)
)
METHOD = Method(0, 10, 60, b"\x06memory")
HEARD = [b'{"a": 1}', b"x" * 900, b"", METHOD, None, METHOD, METHOD, b"[]"]


def test_messages_and_methods_come_in_the_order_of_the_stream() -> None:
    reading = Reading().feed(STREAM)
    assert reading.heard == HEARD
    assert reading.messages == [
        (b'{"a": 1}', "application/json", "utf-8", ""),
        (b"x" * 900, "application/json", "utf-8", "application/x-gzip"),
        (b"", "application/x-msgpack", "binary", ""),
        (None, "application/x-msgpack", "binary", ""),
        (b"[]", "application/json", "utf-8", ""),
    ]


def test_a_stream_may_be_split_at_every_byte() -> None:
    for position in range(len(STREAM) + 1):
        assert Reading().feed(STREAM[:position], STREAM[position:]).heard == HEARD
    assert Reading().feed(*(STREAM[n : n + 1] for n in range(len(STREAM)))).heard == HEARD


@given(
    st.lists(
        st.tuples(st.binary(max_size=LIMIT + 200), st.sampled_from([JSON, ZLIB, MSGPACK]), st.integers(50, 4000)),
        max_size=12,
    ),
    st.sampled_from([b"", HEARTBEAT, BLOCKED]),
    st.data(),
)
@settings(deadline=None)
def test_any_messages_in_any_pieces_arrive_as_they_were_sent(
    sent: list[tuple[bytes, dict[str, Any], int]], between: bytes, data: st.DataObject
) -> None:
    stream = b"".join(message(*each, between=between) for each in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    reading = Reading().feed(*(stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)))
    assert [(body, kind) for body, kind, _, _ in reading.messages] == [
        (body if len(body) <= LIMIT else None, properties["content_type"]) for body, properties, _ in sent
    ]


def test_one_chunk_gives_one_batch_for_each_run_of_one_encoding() -> None:
    chunk = message(b"1") * 50 + message(b"2", ZLIB) * 50
    assert [len(batch.bodies) for batch in Reading().feed(chunk, chunk).batches] == [50, 50, 50, 50]


def test_properties_that_differ_in_what_is_not_read_share_a_batch() -> None:
    chunk = b"".join(message(b"1", {**JSON, "application_headers": {"hostname": f"w{n}"}}) for n in range(1000))
    assert [len(batch.bodies) for batch in Reading().feed(chunk).batches] == [1000]


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(noise: bytes) -> None:
    refused(Reading(), noise)


@given(st.integers(0, len(STREAM) - 1), st.integers(0, 255), st.integers(1, 700))
@settings(max_examples=400, deadline=None)
def test_a_damaged_stream_is_read_or_refused(position: int, byte: int, step: int) -> None:
    damaged = STREAM[:position] + bytes([byte]) + STREAM[position + 1 :]
    refused(Reading(), *(damaged[n : n + step] for n in range(0, len(damaged), step)))


def refused(reading: Reading, *chunks: bytes) -> str:
    """Feed and return the refusal, "" when there was none; anything else that is raised fails the test."""
    try:
        reading.feed(*chunks)
    except ProtocolError as error:
        return error.message
    return ""


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (frame(3, b"x"), "unexpected frame of type 3"),
        (header(1, JSON), "unexpected frame of type 2"),
        (deliver() + deliver(), "unexpected frame of type 1"),
        (deliver() + frame(3, b"x"), "unexpected frame of type 3"),
        (deliver() + header(5, JSON) + header(5, JSON), "unexpected frame of type 2"),
        (deliver() + header(5, JSON) + frame(3, b"123456"), "more of a message"),
        (deliver() + frame(2, b"\0\x3c"), "too short"),
        (deliver() + frame(2, struct.pack(">HHQH", 50, 0, 1, 0)), "class 50"),
        (frame(1, b"\0\x3c"), "without a number"),
        (frame(1, b"\0\x0a", channel=0), "without a number"),
        (frame(2, b"x", channel=3), "type 2 on channel 3"),
        (frame(8, b"", channel=3), "type 8 on channel 3"),
        (frame(0, b""), "type 0"),
        (BLOCKED[:-1] + b"\xcf", "without an end"),
        (b"AMQP\x00\x00\x09\x01", "agreed on"),
        (struct.pack(">BHI", 3, CHANNEL, FRAME_MAX - 7), f"{FRAME_MAX} are agreed on"),
        (struct.pack(">BHI", 3, CHANNEL, 2**32 - 1), "agreed on"),
    ],
)
def test_what_no_broker_sends_is_refused_before_it_is_gathered(stream: bytes, words: str) -> None:
    assert words in refused(Reading(), stream)
    assert words in refused(Reading(), *(stream[n : n + 1] for n in range(len(stream))))


def test_messages_before_a_fault_are_kept() -> None:
    reading = Reading()
    assert refused(reading, message(b"1") + message(b"2", ZLIB) + b"\xff" * 20)
    assert reading.heard == [b"1", b"2"]


def test_an_order_that_ends_the_reading_comes_after_the_messages_before_it() -> None:
    batches: list[Messages] = []

    def obey(method: Method) -> None:
        assert [batch.bodies for batch in batches] == [[b"1"]]
        raise ConnectionResetError(method.arguments)

    reader = FrameReader(CHANNEL, FRAME_MAX, offer=batches.append, obey=obey)
    with pytest.raises(ConnectionResetError, match="memory"):
        reader.feed(message(b"1") + BLOCKED + message(b"2"))
    assert len(batches) == 1


def test_a_frame_in_a_thousand_pieces_takes_linear_time() -> None:
    """Copying what has gathered for each piece would move more than a hundred gigabytes."""
    size = 15 * 2**20
    body = bytes(size)
    stream = message(body, pieces=size)
    reading = Reading(frame_max=16 * 2**20, message_limit=size)
    began = time.perf_counter()
    reading.feed(*(stream[n : n + 1024] for n in range(0, len(stream), 1024)))
    assert time.perf_counter() - began < 5
    assert reading.heard == [body]


def test_a_body_in_the_smallest_frames_is_put_together() -> None:
    body = bytes(range(256)) * 11
    assert Reading().feed(message(body, pieces=1)).heard == [body]


def test_an_endless_message_is_skipped_without_gathering_it() -> None:
    piece = frame(3, bytes(FRAME_MAX - 8))

    def endless() -> Iterator[bytes]:
        yield deliver() + header(2**63, JSON)
        yield from (piece for _ in range(2000))

    reading = Reading()
    for chunk in endless():
        reading.feed(chunk)
    held = [value for value in vars(reading.reader).values() if isinstance(value, (bytes, bytearray))]
    assert sum(map(len, held)) < 1000
    assert reading.heard == []


def test_a_thousand_sets_of_properties_are_not_remembered_for_ever() -> None:
    reading = Reading()
    for n in range(1000):
        reading.feed(message(b"1", {**JSON, "application_headers": {"hostname": f"w{n}"}}))
    reading.feed(message(b"1", {**JSON, "application_headers": {"hostname": "w" * 3000}}))
    assert len(reading.messages) == 1001
    assert len(reading.reader._known) <= 256
    assert max(map(len, reading.reader._known)) < 1024
