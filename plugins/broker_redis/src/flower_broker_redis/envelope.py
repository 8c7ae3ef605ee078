"""The JSON in which kombu's virtual transports wrap a message (kombu.transport.virtual.base)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Literal
from uuid import uuid4

import msgspec
from kombu.utils import json as kombu_json

from flower_plugins import Messages

__all__ = ["batches", "wrap"]

# Kombu is annotated in part, which strict typing takes for more than it is.
_kombu_json: Any = kombu_json


class _Headers(msgspec.Struct, gc=False):
    compression: str = ""


class _Properties(msgspec.Struct, gc=False):
    body_encoding: Literal["base64"]


class _Envelope(msgspec.Struct, gc=False, rename="kebab"):
    body: bytes
    content_type: str
    content_encoding: str
    properties: _Properties
    headers: _Headers


class _PlainHeaders(msgspec.Struct, gc=False):
    compression: Literal[""] = ""


class _PlainEnvelope(msgspec.Struct, gc=False, rename="kebab"):
    """What nearly all events come in."""

    body: bytes
    content_type: Literal["application/json"]
    content_encoding: Literal["utf-8"]
    properties: _Properties
    headers: _PlainHeaders


_PLAIN = ("application/json", "utf-8", "")

_decode = msgspec.json.Decoder(_Envelope).decode
_decode_plain = msgspec.json.Decoder(_PlainEnvelope).decode


def batches(payloads: Sequence[bytes]) -> Iterator[Messages]:
    """Unwrap payloads, in order, one batch for each run of equal encodings. Never raises.

    A payload that is no envelope becomes a message whose body is None: nobody can read it, and the
    pump's reader counts it.
    """
    plain = _plain(payloads)
    if plain is not None:
        if plain:
            yield Messages(plain, *_PLAIN)
        return
    bodies: list[Any] = []
    kind = current = _PLAIN
    for payload in payloads:
        body: Any
        try:
            envelope = _decode(payload)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            body, kind = _read_with_care(payload)
        else:
            body = envelope.body
            kind = (envelope.content_type, envelope.content_encoding or "utf-8", envelope.headers.compression)
        if kind != current:
            if bodies:
                yield Messages(bodies, *current)
                bodies = []
            current = kind
        bodies.append(body)
    if bodies:
        yield Messages(bodies, *current)


def _plain(payloads: Iterable[bytes]) -> list[bytes] | None:
    """Unwrap payloads, None unless all of them are plain."""
    try:
        return [envelope.body for envelope in map(_decode_plain, payloads)]
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None


def wrap(body: object, headers: dict[str, object], exchange: str) -> bytes:
    """Return the envelope of a JSON message to a fanout exchange."""
    return json.dumps(
        {
            "body": base64.b64encode(json.dumps(body).encode()).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": headers,
            "properties": {
                "delivery_mode": 2,
                "delivery_info": {"exchange": exchange, "routing_key": ""},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": str(uuid4()),
            },
        }
    ).encode()


def _read_with_care(payload: bytes) -> tuple[Any, tuple[str, str, str]]:
    """Read an envelope of unusual form the way kombu does: its JSON, and base64 only where it says so."""
    try:
        envelope = _kombu_json.loads(payload)
    except Exception:  # guards the stream against the decoders that an application may register with kombu
        envelope = None
    if not isinstance(envelope, dict):
        envelope = {}
    properties, headers = envelope.get("properties"), envelope.get("headers")
    body = envelope.get("body")
    if isinstance(body, (str, bytes)):
        if isinstance(properties, dict) and properties.get("body_encoding") == "base64":
            # What is no base64 stays as it is, for the pump's reader to refuse.
            with suppress(ValueError):
                body = base64.b64decode(body)
    else:
        body = None
    return body, (
        _word(envelope.get("content-type")),
        _word(envelope.get("content-encoding")) or "utf-8",
        _word(headers.get("compression")) if isinstance(headers, dict) else "",
    )


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""
