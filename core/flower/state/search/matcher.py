"""Tests task records against a search, looking at no more of a record than the search needs."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flower.state.literals import read_mapping
from flower.state.search.syntax import All, Node, Term, read
from flower.state.tasks import TaskRecord

__all__ = ["Search", "parse"]

_PLAIN = ("uuid", "name", "state", "worker", "args", "kwargs", "result")


class Search:
    """A search that was read; may be used for any number of records."""

    def __init__(self, node: Node | None) -> None:
        self.state, self._node = _state_and_rest(node)
        """`state` is what every match's state must be, folded, or ""; `matches` tests the rest."""

    @property
    def everything(self) -> bool:
        """True when nothing is left to test but `state`."""
        return self._node is None

    def matches(self, record: TaskRecord) -> bool:
        """Tell whether a record, whose state is known to fit, matches."""
        return self._node is None or _matches(self._node, _Text(record))


@lru_cache(maxsize=512)
def parse(text: str) -> Search:
    """Read a search text. Raise QueryError naming reason and place."""
    return Search(read(text))


def _state_and_rest(node: Node | None) -> tuple[str, Node | None]:
    """Take out one `state:` term that holds for the whole search, because the store has an index for it."""
    if isinstance(node, Term) and node.field == "state":
        return node.text, None
    if isinstance(node, All):
        for part in node.parts:
            if isinstance(part, Term) and part.field == "state":
                rest = tuple(other for other in node.parts if other is not part)
                return part.text, rest[0] if len(rest) == 1 else All(rest)
    return "", node


class _Text:
    """A record's texts, folded on first use."""

    def __init__(self, record: TaskRecord) -> None:
        self._record = record
        self._folded: dict[str, str] = {}
        self._pairs: dict[str, str] | None = None

    def field(self, name: str) -> str:
        folded = self._folded.get(name)
        if folded is None:
            folded = self._folded[name] = (getattr(self._record, name) or "").casefold()
        return folded

    def plain(self) -> str:
        """Return all searchable fields as one text, separated so that a term cannot span two."""
        folded = self._folded.get("")
        if folded is None:
            texts = (getattr(self._record, name) or "" for name in _PLAIN)
            folded = self._folded[""] = "\0".join(texts).casefold()
        return folded

    def pairs(self) -> dict[str, str]:
        if self._pairs is None:
            mapping = read_mapping(self._record.kwargs or "") or {}
            self._pairs = {_fold(key): _fold(value) for key, value in mapping.items()}
        return self._pairs


def _fold(value: Any) -> str:
    return "" if value is None else str(value).strip().casefold()


def _matches(node: Node, text: _Text) -> bool:
    if isinstance(node, Term):
        if node.key:
            return text.pairs().get(node.key) == node.text
        if not node.field:
            return node.text in text.plain()
        return node.text == text.field("state") if node.field == "state" else node.text in text.field(node.field)
    if isinstance(node, All):
        return all(_matches(part, text) for part in node.parts)
    return any(_matches(part, text) for part in node.parts)
