"""Tests task records against a search, looking at no more of a record than the search needs."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache

from flower.state.search.chunk import PLAIN
from flower.state.search.pairs import pairs
from flower.state.search.sieve import superset, undecided
from flower.state.search.syntax import LOST, All, Exact, Node, Not, Range, Term, read
from flower.state.tasks import TaskRecord

__all__ = ["Search", "holds", "parse"]

_Lost = Callable[[TaskRecord], bool]

_ATTRIBUTES = {"root": "root_id", "parent": "parent_id"}
_LOST = Term("is", LOST)
_INDEXED = frozenset(("state", "name", "worker", "queue"))


def _never(_: TaskRecord) -> bool:
    return False


class Search:
    """A search that was read; may be used for any number of records."""

    def __init__(self, node: Node | None) -> None:
        self._node = node
        self.indexed, self._left = _indexed_and_left(node)
        """`indexed` are terms that hold for every match and that an index answers."""
        self.in_texts = None if node is None else superset(node)
        """What the texts of tasks decide: finds every match, but not only these where there is a `rest`."""
        self._rest = None if node is None else undecided(node)
        self.only_lost = _LOST in _joined(node)
        """True when no task matches but those whose worker is gone."""

    @property
    def everything(self) -> bool:
        """True when nothing is left to test but `indexed`."""
        return self._left is None

    @property
    def has_rest(self) -> bool:
        """True when texts alone do not decide."""
        return self._rest is not None

    def matches(self, record: TaskRecord, is_lost: _Lost = _never) -> bool:
        """Tell whether a record matches; `is_lost` tells whether its worker is gone."""
        return self._node is None or _matches(self._node, _Text(record, is_lost))

    def left_matches(self, record: TaskRecord, is_lost: _Lost) -> bool:
        """Tell whether a record that fits all `indexed` terms matches."""
        return self._left is None or _matches(self._left, _Text(record, is_lost))

    def rest_matches(self, record: TaskRecord, is_lost: _Lost) -> bool:
        """Tell whether a record that `in_texts` finds matches."""
        return self._rest is None or _matches(self._rest, _Text(record, is_lost))


@lru_cache(maxsize=512)
def parse(text: str) -> Search:
    """Read a search text. Raise QueryError naming reason and place."""
    return Search(read(text))


def _joined(node: Node | None) -> tuple[Node, ...]:
    """Return what has to hold together."""
    if node is None:
        return ()
    return node.parts if isinstance(node, All) else (node,)


def _indexed_and_left(node: Node | None) -> tuple[tuple[Term, ...], Node | None]:
    parts = _joined(node)
    indexed = tuple(part for part in parts if isinstance(part, Term) and part.field in _INDEXED)
    left = tuple(part for part in parts if part not in indexed)
    return indexed, None if not left else left[0] if len(left) == 1 else All(left)


def holds(node: Node, record: TaskRecord) -> bool:
    """Tell whether a record matches a tree that texts decide."""
    return _matches(node, _Text(record, _never))


class _Text:
    """A record's texts, folded on first use."""

    def __init__(self, record: TaskRecord, is_lost: _Lost) -> None:
        self.record = record
        self.is_lost = is_lost
        self._folded: dict[str, str] = {}
        self._plain: str | None = None
        self._pairs: dict[str, str] | None = None

    def field(self, name: str) -> str:
        folded = self._folded.get(name)
        if folded is None:
            value = getattr(self.record, _ATTRIBUTES.get(name, name))
            folded = self._folded[name] = (value or "").casefold()
        return folded

    def plain_holds(self, term: str) -> bool:
        """Tell whether one of the plain fields has a term."""
        if self._plain is None:
            self._plain = "\0".join([getattr(self.record, name) or "" for name in PLAIN]).casefold()
        return term in self._plain and ("\0" not in term or any(term in self.field(name) for name in PLAIN))

    def pairs(self) -> dict[str, str]:
        if self._pairs is None:
            self._pairs = pairs(self.record.kwargs or "")
        return self._pairs


def _matches(node: Node, text: _Text) -> bool:
    if isinstance(node, Term):
        if node.key:
            return text.pairs().get(node.key) == node.text
        if not node.field:
            return text.plain_holds(node.text)
        if node.field == "is":
            return text.is_lost(text.record)
        return node.text == text.field("state") if node.field == "state" else node.text in text.field(node.field)
    if isinstance(node, Exact):
        return text.field(node.field) == node.text
    if isinstance(node, Range):
        return _in_range(node, text.record)
    if isinstance(node, Not):
        return not _matches(node.part, text)
    if isinstance(node, All):
        return all(_matches(part, text) for part in node.parts)
    return any(_matches(part, text) for part in node.parts)


def _in_range(node: Range, record: TaskRecord) -> bool:
    value = _age(record) if node.field == "age" else getattr(record, node.field)
    if value is None:
        return False
    if node.low is not None and (value < node.low or (value == node.low and node.without_low)):
        return False
    return node.high is None or value < node.high or (value == node.high and not node.without_high)


def _age(record: TaskRecord) -> float:
    """Return the seconds since a task was received, else since it was first heard of otherwise."""
    since = record.received if record.received is not None else record.sent
    return time.time() - (record.timestamp if since is None else since)
