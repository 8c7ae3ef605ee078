"""The route table: every path this server answers, and whose it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from flower.plugins.contract import LITERAL
from flower_plugins import Route

__all__ = ["Entry", "Match", "RouteTable"]


class Entry(NamedTuple):
    """A route and the plugin that brought it."""

    plugin: str
    route: Route


class Match(NamedTuple):
    """The entry a path belongs to, with the decoded groups of its pattern."""

    entry: Entry
    path: Mapping[str, str]


class RouteTable:
    """Finds the route of a path under the url prefix; a trailing slash never matters."""

    def __init__(self, prefix: str, entries: Iterable[tuple[str, Route]]) -> None:
        self.prefix = prefix
        self._literal: dict[str, Entry] = {}
        self._patterns: list[tuple[re.Pattern[str], Entry]] = []
        for plugin, route in entries:
            entry = Entry(plugin, route)
            if LITERAL.fullmatch(route.pattern):
                self._literal[route.pattern] = entry
            else:
                self._patterns.append((re.compile(route.pattern, re.DOTALL), entry))

    def __iter__(self) -> Iterator[Entry]:
        yield from self._literal.values()
        for _, entry in self._patterns:
            yield entry

    def find(self, raw_path: str) -> Match | None:
        """Return what a request path, still percent-encoded, belongs to."""
        try:
            path = unquote(raw_path, errors="strict")
        except UnicodeDecodeError:
            return None
        if "\0" in path or not path.startswith(self.prefix + "/"):
            return None
        path = path[len(self.prefix) :]
        if path.endswith("/") and path != "/":
            return self._match(path[:-1]) or self._match(path)
        return self._match(path)

    def _match(self, path: str) -> Match | None:
        entry = self._literal.get(path)
        if entry is not None:
            return Match(entry, {})
        for pattern, entry in self._patterns:
            found = pattern.fullmatch(path)
            if found is not None:
                return Match(entry, {name: value or "" for name, value in found.groupdict().items()})
        return None
