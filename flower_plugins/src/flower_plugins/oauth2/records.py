"""JSON of a provider, read by type or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from flower_plugins.errors import ProviderFailed

__all__ = ["Record", "lower_ascii", "parse_json"]

_ADDRESS = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,255}")


@dataclass(frozen=True, slots=True)
class Record:
    """A JSON object; `source` is what messages call it: "GitLab's user"."""

    source: str
    fields: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Return a text that is not empty; raise ProviderFailed for anything else."""
        value = self.fields.get(name)
        if not isinstance(value, str) or not value:
            raise ProviderFailed(f"{self.source} came without a proper {name!r}")
        return value

    def text_if_any(self, name: str) -> str:
        """Return a text, "" when it is missing or null; raise ProviderFailed for another type."""
        value = self.fields.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise ProviderFailed(f"{self.source} came with a {name!r} that is no text")
        return value

    def is_true(self, name: str) -> bool:
        """Tell whether a field is JSON's `true`; "true", 1 and the like are not."""
        return self.fields.get(name) is True

    def address(self, name: str) -> str:
        """Return an e-mail address; raise ProviderFailed for what is none."""
        value = self.text(name)
        if not _ADDRESS.fullmatch(value) or not value.isprintable():
            raise ProviderFailed(f"{self.source} came with a {name!r} that is no e-mail address")
        return value

    def record(self, name: str) -> Record:
        """Return an object inside this one; raise ProviderFailed for anything else."""
        value = self.fields.get(name)
        if not isinstance(value, dict):
            raise ProviderFailed(f"{self.source} came without a proper {name!r}")
        return Record(f"{self.source}, {name!r}", value)


def parse_json(body: bytes) -> Any:
    """Return the value of strict JSON in UTF-8; raise ValueError for anything else, NaN and deep nesting included."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def lower_ascii(text: str) -> str:
    """Return a text in lower case, unless that could make it equal to one in other letters: the Kelvin sign to k."""
    return text.lower() if text.isascii() else text


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
