"""Reading what kombu notes of messages that workers hold."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flower_broker_redis.unacked import addresses, by_queue, destinations

WORD = st.text(max_size=30)


@given(st.dictionaries(WORD, WORD, max_size=4), WORD, WORD, st.booleans())
def test_exchange_and_key_are_read_whatever_the_message_is(
    message: dict[str, str], exchange: str, key: str, ascii_only: bool
) -> None:
    entry = json.dumps([message, exchange, key], ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert addresses([entry]) == [(exchange, key)]


def test_a_missing_exchange_is_the_default_one() -> None:
    assert addresses([b'[{}, null, "q"]']) == [("", "q")]


@pytest.mark.parametrize("entry", [b"", b"x", b"[]", b'[{}, 5, "q"]', b'[{}, "q"]', b'[{}, "\\x", "q"]', b"\xff" * 50])
def test_what_is_no_entry_makes_the_whole_unknown(entry: bytes) -> None:
    assert addresses([b'[{}, "", "q"]', entry]) is None


def test_bindings_tell_the_queue_of_a_key() -> None:
    found = destinations("shop", [b"key\x06\x16\x06\x16named", b"odd", b"\xff\x06\x16\x06\x16x"], "\x06\x16")
    assert found == {("shop", "key"): "named"}


def test_messages_are_counted_only_when_all_have_a_queue() -> None:
    assert by_queue([("", "a"), ("", "a"), ("shop", "key")], {("shop", "key"): "b"}) == {"a": 2, "b": 1}
    assert by_queue([("", "a"), ("topic", "x.y")], {}) is None
