"""The encoding of a message, read from the properties in an AMQP 0-9-1 content header.

Of these only three matter here, and they come first: content type, content encoding and the headers,
in which kombu names the compression. The order of the flags follows the protocol's XML definition,
the letters of the field types RabbitMQ's errata (https://www.rabbitmq.com/amqp-0-9-1-errata).
"""

from __future__ import annotations

import struct
from typing import NamedTuple

__all__ = ["Encoding", "read_encoding"]

_CONTENT_TYPE = 1 << 15
_CONTENT_ENCODING = 1 << 14
_HEADERS = 1 << 13
_MORE_FLAGS = 1

_short = struct.Struct(">H").unpack_from
_long = struct.Struct(">I").unpack_from

_WIDTHS = {
    **dict.fromkeys(b"V", 0),
    **dict.fromkeys(b"tbB", 1),
    **dict.fromkeys(b"sUu", 2),
    **dict.fromkeys(b"Iif", 4),
    **dict.fromkeys(b"D", 5),
    **dict.fromkeys(b"LldT", 8),
}
_PREFIXED = frozenset(b"SxAF")
_TEXT = ord("S")


class Encoding(NamedTuple):
    """How a body is to be read, in the words and the order of `flower_plugins.Messages`."""

    content_type: str = ""
    content_encoding: str = "utf-8"
    compression: str = ""


def read_encoding(properties: bytes) -> Encoding:
    """Return the encoding that these bytes name: flags and property list. What cannot be read counts as absent."""
    content_type = content_encoding = compression = ""
    try:
        (flags,) = word = _short(properties, 0)
        position = 2
        while word[0] & _MORE_FLAGS:
            word = _short(properties, position)
            position += 2
        if flags & _CONTENT_TYPE:
            content_type, position = _short_text(properties, position)
        if flags & _CONTENT_ENCODING:
            content_encoding, position = _short_text(properties, position)
        if flags & _HEADERS:
            compression = _text_field(properties, position, b"compression")
    except (IndexError, struct.error):
        # Cut off in the middle: the words before that count, and the reader of the body refuses what is missing.
        pass
    return Encoding(content_type, content_encoding or "utf-8", compression)


def _short_text(data: bytes, position: int) -> tuple[str, int]:
    end = position + 1 + data[position]
    if end > len(data):
        raise IndexError(end)
    return data[position + 1 : end].decode(errors="replace"), end


def _text_field(data: bytes, position: int, wanted: bytes) -> str:
    """Return the text of that name in the table at `position`, "" where there is none.

    What stands inside nested tables is stepped over as a whole.
    """
    end = position + 4 + _long(data, position)[0]
    position += 4
    while position < end:
        name_end = position + 1 + data[position]
        name, kind = data[position + 1 : name_end], data[name_end]
        position = name_end + 1
        if kind in _PREFIXED:
            start = position + 4
            position = start + _long(data, position)[0]
            if name == wanted and kind == _TEXT:
                return data[start:position].decode(errors="replace")
        elif kind in _WIDTHS:
            position += _WIDTHS[kind]
        else:
            break
    return ""
