"""From the bytes of one message to a Python object: compression, character set and serializer, all bounded.

Celery's event dispatcher (celery.events.dispatcher) publishes one mapping, or for `task-multi` a list
of mappings, with the serializer of `event_serializer`. Whatever else arrives raises RefusedError.
"""

from __future__ import annotations

import bz2
import json
import lzma
import zlib
from typing import Any

import msgspec
from kombu import serialization

__all__ = ["RefusedError", "loads", "uncompressed"]

_JSON = "application/json"
_MSGPACK = "application/x-msgpack"
_YAML = "application/x-yaml"

_YAML_LIMIT = 256 * 1024
_YAML_NODES = 5_000
_YAML_DEPTH = 50
_LZMA_MEMORY = 64 * 2**20
_DIGITS = 40

# The names of kombu.compression, of which only those count that can stop at a limit.
_COMPRESSIONS = {
    "application/x-gzip": "zlib",
    "gzip": "zlib",
    "zlib": "zlib",
    "application/x-bz2": "bz2",
    "bzip2": "bz2",
    "bzip": "bz2",
    "application/x-lzma": "lzma",
    "lzma": "lzma",
    "xz": "lzma",
}

# Python's other codecs are left out: some take quadratic time, and no producer names them.
_UTF8 = frozenset(("", "utf-8", "utf8", "us-ascii", "ascii", "binary"))
_CHARSETS = frozenset(("utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "iso-8859-1", "cp1252"))


class RefusedError(Exception):
    """A message that cannot be read; `reason` is one of a few fixed words."""

    def __init__(self, reason: str, detail: object = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def uncompressed(body: bytes, compression: str, limit: int) -> bytes:
    """Return the body inflated, or raise RefusedError when that takes more than `limit` bytes."""
    method = _COMPRESSIONS.get(compression.lower())
    if method is None:
        raise RefusedError("compression", compression)
    try:
        if method == "zlib":
            inflater = zlib.decompressobj()
            data, complete = inflater.decompress(body, limit + 1), inflater.eof
        elif method == "bz2":
            bunzipper = bz2.BZ2Decompressor()
            data, complete = bunzipper.decompress(body, limit + 1), bunzipper.eof
        else:
            unpacker = lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)
            data, complete = unpacker.decompress(body, limit + 1), unpacker.eof
    except (EOFError, OSError, ValueError, lzma.LZMAError, zlib.error) as error:
        raise RefusedError("undecodable", error) from None
    if len(data) > limit:
        raise RefusedError("too_large", compression)
    if not complete:
        raise RefusedError("undecodable", compression)
    return data


def loads(body: bytes | str, content_type: str, content_encoding: str) -> Any:
    """Return the object that a body of an accepted content type stands for, or raise RefusedError."""
    try:
        if content_type == _JSON:
            return _json(_characters(body, content_encoding))
        if content_type == _MSGPACK:
            return msgspec.msgpack.decode(body.encode("latin-1") if isinstance(body, str) else body)
        if content_type == _YAML:
            return _yaml(_characters(body, content_encoding))
        # Whatever else the accept set names: a serializer the Celery app registered, or pickle.
        return serialization.loads(body, content_type, content_encoding, accept={content_type})  # type: ignore[no-untyped-call]
    except RecursionError:
        raise RefusedError("nesting") from None
    except RefusedError:
        raise
    except Exception as error:  # guards against third-party serializers, yaml's and the app's own
        raise RefusedError("undecodable", type(error).__name__) from None


def _characters(body: bytes | str, encoding: str) -> bytes | str:
    """Return UTF-8 bytes, or text where the message names another character set."""
    name = encoding.lower()
    if isinstance(body, str) or name in _UTF8:
        return body
    if name not in _CHARSETS:
        raise RefusedError("encoding", encoding)
    return body.decode(name)


def _json(body: bytes | str) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError):
        # Python's json writes NaN, Infinity, huge numbers and lone surrogates, which msgspec refuses.
        return json.loads(body, parse_int=_integer)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _DIGITS else float(digits)


def _yaml(body: bytes | str) -> Any:
    # Local import: PyYAML is optional and only present where events are sent as yaml.
    import yaml

    if len(body) > _YAML_LIMIT:
        raise RefusedError("too_large", _YAML)
    safe = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    depth = 0
    # A first, lazy pass: what it refuses would take the loader seconds or gigabytes.
    for number, event in enumerate(yaml.parse(body, Loader=safe)):
        if isinstance(event, yaml.AliasEvent):
            raise RefusedError("undecodable", "yaml alias")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _YAML_DEPTH:
            raise RefusedError("nesting")
        if number > _YAML_NODES:
            raise RefusedError("too_large", _YAML)
    return yaml.load(body, Loader=safe)  # noqa: S506 (either loader is the safe one)
