from __future__ import annotations

import bz2
import json
import lzma
import time
import zlib
from typing import Any

import msgspec
import pytest

from flower.events import wire
from flower.events.gateway import Gateway
from flower_plugins import Messages

EVENT = {"type": "task-sent", "hostname": "gen1@a", "uuid": "u-1", "args": "('ä',)"}
RAW = json.dumps(EVENT, ensure_ascii=False).encode()
JSON, YAML = "application/json", "application/x-yaml"


@pytest.mark.parametrize(
    ("name", "compress"),
    [
        ("zlib", zlib.compress),
        ("gzip", zlib.compress),
        ("application/x-gzip", zlib.compress),
        ("bzip2", bz2.compress),
        ("application/x-bz2", bz2.compress),
        ("xz", lzma.compress),
        ("LZMA", lzma.compress),
    ],
)
def test_a_compressed_body_is_inflated_up_to_the_limit(name: str, compress: Any) -> None:
    assert wire.uncompressed(compress(RAW), name, len(RAW)) == RAW
    with pytest.raises(wire.RefusedError, match="too_large"):
        wire.uncompressed(compress(RAW), name, len(RAW) - 1)
    with pytest.raises(wire.RefusedError, match="undecodable"):
        wire.uncompressed(compress(RAW)[:-1], name, 10_000)
    with pytest.raises(wire.RefusedError, match="undecodable"):
        wire.uncompressed(b"\x00junk", name, 10_000)


def test_a_compression_bomb_is_refused_before_it_inflates() -> None:
    squeeze = zlib.compressobj()
    bomb = b"".join(squeeze.compress(bytes(2**20)) for _ in range(64)) + squeeze.flush()
    started = time.thread_time()
    door = Gateway()
    assert door.decode(Messages([bomb], compression="zlib")) == []
    assert dict(door.rejected) == {"too_large": 1}
    assert time.thread_time() - started < 2.0


def test_a_compression_without_a_bound_is_refused() -> None:
    with pytest.raises(wire.RefusedError, match="compression"):
        wire.uncompressed(b"", "brotli", 10)


@pytest.mark.parametrize("charset", ["utf-8", "UTF8", "", "binary", "us-ascii", "utf-16", "utf-32", "latin-1"])
def test_the_character_set_is_honoured(charset: str) -> None:
    codec = charset if charset[:4] in ("utf-", "lati") else "utf-8"
    body = RAW.decode().encode(codec)
    assert wire.loads(body, JSON, charset) == EVENT


@pytest.mark.parametrize("charset", ["idna", "punycode", "rot13", "zlib", "unicode_escape", "no-such"])
def test_a_codec_that_is_no_character_set_is_refused(charset: str) -> None:
    with pytest.raises(wire.RefusedError, match="encoding"):
        wire.loads(RAW, JSON, charset)


def test_msgpack_needs_no_package_of_its_own() -> None:
    assert wire.loads(msgspec.msgpack.encode(EVENT), "application/x-msgpack", "binary") == EVENT


def test_yaml_is_read_by_the_safe_loader() -> None:
    yaml = pytest.importorskip("yaml", reason="pip install PyYAML")
    assert wire.loads(yaml.safe_dump(EVENT).encode(), YAML, "utf-8") == EVENT
    with pytest.raises(wire.RefusedError, match="undecodable"):
        wire.loads(b"!!python/object/apply:os.getcwd []", YAML, "utf-8")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "undecodable"),
        (b"[" * 1_000, "nesting"),
        (b"[" * 100_000, "nesting|undecodable"),  # newer releases of PyYAML stop there by themselves
        (b"- " * 100_000, "nesting"),
        (b"[" + b"a, " * 50_000 + b"]", "too_large"),
        (b" " * 300_000, "too_large"),
    ],
    ids=["aliases", "flow nesting", "deep flow nesting", "block nesting", "nodes", "size"],
)
def test_a_yaml_bomb_is_refused(body: bytes, reason: str) -> None:
    pytest.importorskip("yaml", reason="pip install PyYAML")
    with pytest.raises(wire.RefusedError, match=reason):
        wire.loads(body, YAML, "utf-8")


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"[Infinity, 1]", [float("inf"), 1]),
        (b'["\\ud800"]', ["\ud800"]),
        (b"[1e400]", [float("inf")]),
        (b"[" + b"9" * 30 + b"]", [int("9" * 30)]),
        (b"[" + b"9" * 6000 + b"]", [float("inf")]),
    ],
)
def test_what_pythons_json_may_write_is_read(body: bytes, value: list[Any]) -> None:
    assert wire.loads(body, JSON, "utf-8") == value
