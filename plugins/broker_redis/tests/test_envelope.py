"""Kombu's envelopes, well-formed and otherwise."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kombu.utils import json as kombu_json

from flower_broker_redis.envelope import batches, wrap
from flower_plugins import Messages

_kombu_json: Any = kombu_json
_ABSENT = object()
_PROPERTIES = {"body_encoding": "base64", "delivery_tag": "t", "delivery_info": {"exchange": "celeryev"}}


def envelope(body: object = b"{}", **changes: object) -> bytes:
    """Return an envelope; a name given as ABSENT is left out."""
    text = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    parts = {
        "body": text,
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"hostname": "celery@host"},
        "properties": _PROPERTIES,
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    made: bytes = _kombu_json.dumps({name: part for name, part in parts.items() if part is not _ABSENT}).encode()
    return made


def only(payload: bytes) -> tuple[Any, str, str, str]:
    (batch,) = batches([payload])
    (body,) = batch.bodies
    return body, batch.content_type, batch.content_encoding, batch.compression


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (envelope(b"\x00\xff"), (b"\x00\xff", "application/json", "utf-8", "")),
        (envelope(b""), (b"", "application/json", "utf-8", "")),
        (
            envelope(b"x", content_type="application/x-msgpack", content_encoding="binary"),
            (b"x", "application/x-msgpack", "binary", ""),
        ),
        (
            envelope(b"x", headers={"compression": "application/x-gzip"}),
            (b"x", "application/json", "utf-8", "application/x-gzip"),
        ),
        (envelope(b"x", headers={}), (b"x", "application/json", "utf-8", "")),
        (envelope(b"x", content_encoding=""), (b"x", "application/json", "utf-8", "")),
        (envelope(b"x", content_encoding=None), (b"x", "application/json", "utf-8", "")),
        (envelope(b"x", content_type=_ABSENT), (b"x", "", "utf-8", "")),
        (envelope(b"x", content_type=["a"]), (b"x", "", "utf-8", "")),
        (envelope(b"x", headers=None), (b"x", "application/json", "utf-8", "")),
        (envelope(b"x", headers=5), (b"x", "application/json", "utf-8", "")),
        (envelope(b"x", headers={"compression": 5}), (b"x", "application/json", "utf-8", "")),
        (envelope('{"a": 1}', properties={"body_encoding": None}), ('{"a": 1}', "application/json", "utf-8", "")),
        (envelope('{"a": 1}', properties={}), ('{"a": 1}', "application/json", "utf-8", "")),
        (envelope("eA==", properties=5), ("eA==", "application/json", "utf-8", "")),
        (envelope("eA==", properties={"body_encoding": "rot13"}), ("eA==", "application/json", "utf-8", "")),
        (envelope("é!", properties=_PROPERTIES), ("é!", "application/json", "utf-8", "")),
        (envelope("eA=", properties=_PROPERTIES), ("eA=", "application/json", "utf-8", "")),
    ],
)
def test_an_envelope_gives_body_and_encoding(payload: bytes, expected: tuple[Any, ...]) -> None:
    assert only(payload) == expected


def test_bytes_without_base64_are_read_as_kombu_writes_them() -> None:
    """With `body_encoding` turned off in the transport options."""
    payload = _kombu_json.dumps({"body": b"\xff\x00", "properties": {"body_encoding": None}}).encode()
    assert only(payload)[0] == b"\xff\x00"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"5",
        b"[]",
        b"{}",
        b"nonsense",
        b"\xff\xfe",
        b"[" * 100_000,
        envelope({"type": "task-received", "hostname": "h", "uuid": "u"}),
        envelope(None),
        envelope(_ABSENT),
        b'{"__type__": "nosuch", "__value__": 1}',
    ],
    ids=lambda payload: repr(payload[:12]),
)
def test_what_is_no_envelope_is_a_message_that_nobody_can_read(payload: bytes) -> None:
    assert only(payload)[0] is None


def test_messages_of_one_encoding_that_follow_each_other_share_a_batch() -> None:
    packed = {"content_type": "application/x-msgpack", "content_encoding": "binary"}
    payloads = [envelope(b"1"), envelope(b"2"), envelope(b"3", **packed), envelope(b"4"), b"junk", envelope(b"5")]
    assert list(batches(payloads)) == [
        Messages([b"1", b"2"]),
        Messages([b"3"], "application/x-msgpack", "binary"),
        Messages([b"4"]),
        Messages([None], "", "utf-8"),
        Messages([b"5"]),
    ]
    assert list(batches([])) == []


@given(st.lists(st.binary(max_size=300) | st.binary(max_size=50).map(envelope), max_size=8))
def test_every_payload_becomes_one_message(payloads: list[bytes]) -> None:
    assert sum(len(batch.bodies) for batch in batches(payloads)) == len(payloads)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_parts = st.fixed_dictionaries(
    {},
    optional={
        "body": st.binary(max_size=40).map(lambda raw: base64.b64encode(raw).decode()) | st.text(max_size=20) | _values,
        "content-type": st.text(max_size=10) | _values,
        "content-encoding": st.text(max_size=10) | _values,
        "headers": st.fixed_dictionaries({}, optional={"compression": st.text(max_size=5) | _values}) | _values,
        "properties": st.fixed_dictionaries({}, optional={"body_encoding": st.just("base64") | _values}) | _values,
    },
)


@given(_parts)
def test_whatever_stands_in_an_envelope_it_is_read_by_the_same_rules(parts: dict[str, Any]) -> None:
    body, content_type, content_encoding, compression = only(json.dumps(parts).encode())
    sent, headers, properties = parts.get("body"), parts.get("headers"), parts.get("properties")
    if not isinstance(sent, str):
        assert body is None
    elif isinstance(properties, dict) and properties.get("body_encoding") == "base64":
        assert body in (sent, _base64(sent))
    else:
        assert body == sent
    assert content_type == _word(parts.get("content-type"))
    assert content_encoding == (_word(parts.get("content-encoding")) or "utf-8")
    assert compression == (_word(headers.get("compression")) if isinstance(headers, dict) else "")


def test_what_is_wrapped_reads_as_it_was() -> None:
    body, content_type, content_encoding, compression = only(wrap({"a": "é"}, {"clock": 0}, "celery.pidbox"))
    assert (json.loads(body), content_type, content_encoding, compression) == (
        {"a": "é"},
        "application/json",
        "utf-8",
        "",
    )


def _base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text)
    except ValueError:
        return None


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""
