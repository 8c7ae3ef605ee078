"""What a content header says about a body, held against py-amqp's encoder."""

from __future__ import annotations

from typing import Any

import pytest
from amqp.basic_message import Message
from hypothesis import given
from hypothesis import strategies as st

from flower_broker_rabbitmq.properties import Encoding, read_encoding

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
WORD = st.text(max_size=40)


def raw(**properties: Any) -> bytes:
    return bytes(Message("", **properties)._serialize_properties())


@given(WORD, WORD, WORD | st.none(), st.dictionaries(st.text(max_size=20), VALUES, max_size=5), st.booleans())
def test_every_property_list_that_py_amqp_writes_is_read(
    content_type: str, content_encoding: str, compression: str | None, headers: dict[str, Any], first: bool
) -> None:
    headers.pop("compression", None)
    named = {} if compression is None else {"compression": compression}
    headers = {**named, **headers} if first else {**headers, **named}
    properties = raw(
        content_type=content_type,
        content_encoding=content_encoding,
        application_headers=headers,
        delivery_mode=1,
        priority=3,
        correlation_id="c",
        message_id="m",
    )
    expected = Encoding(content_type, content_encoding or "utf-8", compression or "")
    assert read_encoding(properties) == expected


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        (raw(), Encoding()),
        (raw(message_id="m"), Encoding()),
        (raw(content_type="application/json"), Encoding("application/json")),
        (raw(content_encoding="binary"), Encoding("", "binary")),
        (raw(application_headers={"compression": "zlib"}), Encoding("", "utf-8", "zlib")),
        (raw(application_headers={"compression": 5}), Encoding()),
        (raw(application_headers={"x": {"compression": "zlib"}}), Encoding()),
        (b"", Encoding()),
        (b"\x80", Encoding()),
        (b"\x80\x01\x00\x01\x00\x00\x01a", Encoding("a")),
        (b"\x80\x01" * 3, Encoding()),
        (b"\xc0\x00\x01a\x09bc", Encoding("a")),
        (b"\x20\x00\xff\xff\xff\xff\x0bcompression", Encoding()),
        (b"\x20\x00\x00\x00\x00\x09\x01x?", Encoding()),
        (b"\x80\x00\x01\xff", Encoding("\ufffd")),
    ],
)
def test_what_is_missing_or_cannot_be_read_counts_as_absent(properties: bytes, expected: Encoding) -> None:
    assert read_encoding(properties) == expected


@given(st.binary(max_size=200))
def test_any_bytes_are_an_encoding(noise: bytes) -> None:
    assert all(isinstance(word, str) for word in read_encoding(noise))


def test_nesting_does_not_recurse() -> None:
    depth = 10_000
    nested = b""
    for _ in range(200):
        nested = b"\x01aF" + len(nested).to_bytes(4, "big") + nested
    table = nested + b"\x0bcompressionS\x00\x00\x00\x04zlib"
    deep = b"\x01aF\xff\xff\xff\xff" * depth
    assert read_encoding(b"\x20\x00" + len(table).to_bytes(4, "big") + table).compression == "zlib"
    assert read_encoding(b"\x20\x00" + len(deep).to_bytes(4, "big") + deep).compression == ""
