"""Tests task records against a search, looking at no more of a record than the search needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import lru_cache

from flower.state.search.pairs import ODD, Spelling, is_odd, pairs, spellings
from flower.state.search.syntax import LOST, All, Node, Not, One, Range, Term, read
from flower.state.tasks import TaskRecord

__all__ = ["Search", "parse", "plain_text"]

_Test = Callable[[bytes], bool]
_Lost = Callable[[TaskRecord], bool]

_ATTRIBUTES = {"root": "root_id", "parent": "parent_id"}
_IN_PLAIN_TEXT = frozenset(("", "uuid", "name", "state", "worker", "args", "kwargs", "result"))


_LOST = Term("is", LOST)


def _never(_: TaskRecord) -> bool:
    return False


class Search:
    """A search that was read; may be used for any number of records."""

    def __init__(self, node: Node | None) -> None:
        self.state, self._node = _state_and_rest(node)
        """`state` is what every match's state must be, folded, or ""; `matches` tests the rest."""
        node = self._node
        self.only_terms = _only_terms(node)
        """Texts of which every match's plain text holds one, unless it is marked as odd, if that is all to look for."""
        self.is_plain = node is not None and _is_plain(node)
        """True when plain texts alone decide."""
        self._excluding = None if node is None else _excluding(node)
        self.only_lost = _LOST in (node.parts if isinstance(node, All) else (node,))
        """True when no task matches but those whose worker is gone."""

    @property
    def everything(self) -> bool:
        """True when nothing is left to test but `state`."""
        return self._node is None

    @property
    def looks_at_texts(self) -> bool:
        """True when plain texts can rule records out."""
        return self._excluding is not None or self.is_plain

    def matches(self, record: TaskRecord, is_lost: _Lost = _never) -> bool:
        """Tell whether a record, whose state is known to fit, matches; `is_lost` tells whether its worker is gone."""
        return self._node is None or _matches(self._node, _Text(record, is_lost))

    def may_be_among(self, texts: bytes) -> bool:
        """Tell whether one of several tasks, whose plain texts these are, may match."""
        return self._excluding is None or self._excluding(texts)

    def places(self, texts: Sequence[bytes]) -> list[int]:
        """Return the places of the plain texts whose task may match, or matches if the search `is_plain`."""
        places = list(range(len(texts)))
        return places if self._node is None else _selected(self._node, texts, places)


@lru_cache(maxsize=512)
def parse(text: str) -> Search:
    """Read a search text. Raise QueryError naming reason and place."""
    return Search(read(text))


def plain_text(record: TaskRecord) -> bytes:
    """Return what a plain word is looked for in: fields folded and separated so that a word cannot span two."""
    text = (
        f"{record.uuid}\0{record.name or ''}\0{record.state}\0{record.worker or ''}\0"
        f"{record.args or ''}\0{record.kwargs or ''}\0{record.result or ''}\0"
    )
    plain = (text.lower() if text.isascii() else text.casefold()).encode()
    return plain + ODD if record.kwargs and is_odd(record.kwargs) else plain


def _only_terms(node: Node | None) -> tuple[Spelling, ...] | None:
    if not isinstance(node, Term):
        return None
    if node.key:
        return spellings(node.key, node.text)
    return (Spelling(node.text.encode()),) if _is_in_plain_text(node) else None


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


def _is_plain(node: Node) -> bool:
    if isinstance(node, Term):
        return not node.field
    if isinstance(node, Not):
        return _is_plain(node.part)
    return not isinstance(node, Range) and all(_is_plain(part) for part in node.parts)


def _excluding(node: Node) -> _Test | None:
    """Return a test that the plain texts of tasks pass if one of them matches, None where there is none."""
    if isinstance(node, Term):
        if node.key:
            return _holding_pair(node)
        return _holding(node.text.encode()) if _is_in_plain_text(node) else None
    if isinstance(node, (Not, Range)):
        return None
    tests = [_excluding(part) for part in node.parts]
    known = [test for test in tests if test is not None]
    if isinstance(node, All):
        return (lambda text: all(test(text) for test in known)) if known else None
    return (lambda text: any(test(text) for test in known)) if len(known) == len(tests) else None


def _selected(node: Node, texts: Sequence[bytes], places: list[int]) -> list[int]:
    """Return those of some places whose text does not rule a match out; one list after the other, for speed."""
    if isinstance(node, Term):
        if node.key:
            test = _holding_pair(node)
            return [place for place in places if test(texts[place])]
        if not _is_in_plain_text(node):
            return places
        term = node.text.encode()
        return [place for place in places if term in texts[place]]
    if isinstance(node, Not):
        if not _is_plain(node.part):
            return places
        out = set(_selected(node.part, texts, places))
        return [place for place in places if place not in out]
    if isinstance(node, All):
        for part in node.parts:
            places = _selected(part, texts, places)
        return places
    if isinstance(node, One):
        found: set[int] = set()
        for part in node.parts:
            found.update(_selected(part, texts, places))
        return sorted(found)
    return places


def _is_in_plain_text(term: Term) -> bool:
    return not term.key and term.field in _IN_PLAIN_TEXT


def _holding(term: bytes) -> _Test:
    return lambda text: term in text


def _holding_pair(node: Term) -> _Test:
    terms = (*(spelling.text for spelling in spellings(node.key, node.text)), ODD)
    return lambda text: any(term in text for term in terms)


class _Text:
    """A record's texts, folded on first use."""

    def __init__(self, record: TaskRecord, is_lost: _Lost) -> None:
        self.record = record
        self.is_lost = is_lost
        self._folded: dict[str, str] = {}
        self._plain: bytes | None = None
        self._pairs: dict[str, str] | None = None

    def field(self, name: str) -> str:
        folded = self._folded.get(name)
        if folded is None:
            value = getattr(self.record, _ATTRIBUTES.get(name, name))
            folded = self._folded[name] = (value or "").casefold()
        return folded

    def plain(self) -> bytes:
        if self._plain is None:
            self._plain = plain_text(self.record)
        return self._plain

    def pairs(self) -> dict[str, str]:
        if self._pairs is None:
            self._pairs = pairs(self.record.kwargs or "")
        return self._pairs


def _matches(node: Node, text: _Text) -> bool:
    if isinstance(node, Term):
        if node.key:
            return text.pairs().get(node.key) == node.text
        if not node.field:
            return node.text.encode() in text.plain()
        if node.field == "is":
            return text.is_lost(text.record)
        return node.text == text.field("state") if node.field == "state" else node.text in text.field(node.field)
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
