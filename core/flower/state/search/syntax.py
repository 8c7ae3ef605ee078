"""Reads a search text into a tree: NOT binds tightest, then AND, which may be left out, then OR."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from flower.state.search.ranges import RANGES, read_range
from flower.state.search.tokens import Token, refuse, tokenize

__all__ = ["FIELDS", "LOST", "MAX_DEPTH", "All", "Exact", "Node", "Not", "One", "Range", "Term", "read"]

MAX_DEPTH = 5
LOST = "lost"
"""The value of `is:` for tasks whose worker is gone."""

FIELDS = (
    "uuid",
    "name",
    "state",
    "worker",
    "args",
    "kwargs",
    "result",
    "exception",
    "traceback",
    "queue",
    "root",
    "parent",
    "is",
)
"""Qualifiers of texts, and `is`; those of numbers and times are in `flower.state.search.ranges`."""


class Term(Struct, frozen=True):
    """One word, folded. `field` is "" for a plain one; `key` is set for `kwargs:key=value`, whose value is `text`."""

    field: str
    text: str
    key: str = ""


class Exact(Struct, frozen=True):
    """A field's whole text, folded: what filters ask for. No search text is read as this."""

    field: str
    text: str


class Range(Struct, frozen=True):
    """A number or time between two bounds, None for none; times and ages are seconds."""

    field: str
    low: float | None
    high: float | None
    without_low: bool = False
    without_high: bool = False


class Not(Struct, frozen=True):
    """The part must not match."""

    part: Node


class All(Struct, frozen=True):
    """Every part must match."""

    parts: tuple[Node, ...]


class One(Struct, frozen=True):
    """At least one part must match."""

    parts: tuple[Node, ...]


Node = Term | Exact | Range | Not | All | One


def read(text: str) -> Node | None:
    """Return the tree, None for an empty text. Raise QueryError with reason and place."""
    tokens = tokenize(text)
    if not tokens:
        return None
    reader = _Reader(tokens)
    node = reader.alternatives(0)
    if reader.token is not None:
        refuse("Unexpected ')'", reader.token.position)
    return node


class _Reader:
    """Recursive descent; the depth of groups bounds the recursion."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._place = 0

    @property
    def token(self) -> Token | None:
        """The next token, None at the end."""
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def alternatives(self, depth: int) -> Node:
        """Read `a OR b …` up to a closing parenthesis or the end."""
        parts = [self._sequence(depth)]
        while (token := self.token) is not None and token.kind == "OR":
            self._join(token)
            parts.append(self._sequence(depth))
        return _flat(One, parts)

    def _sequence(self, depth: int) -> Node:
        parts = [self._primary(depth)]
        while (token := self.token) is not None and token.kind not in ("OR", ")"):
            if token.kind == "AND":
                self._join(token)
            parts.append(self._primary(depth))
        return _flat(All, parts)

    def _join(self, operator: Token) -> None:
        self._place += 1
        if self.token is None or self.token.kind in ("AND", "OR", ")"):
            refuse(f"{operator.kind} must be followed by a search term", operator.position)

    def _primary(self, depth: int) -> Node:
        token = self._next()
        negated = False
        while token.kind in ("NOT", "-"):
            negated = not negated
            following = self.token
            if following is None or following.kind in ("AND", "OR", ")"):
                refuse(f"{token.kind} must be followed by a search term", token.position)
            token = self._next()
        node = self._one(token, depth)
        return Not(node) if negated else node

    def _next(self) -> Token:
        token = self.token
        if token is None:
            refuse("Expected a search term", self._tokens[-1].position)
        self._place += 1
        return token

    def _one(self, token: Token, depth: int) -> Node:
        if token.kind == "(":
            return self._group(token, depth + 1)
        if token.kind == ")":
            refuse("Unexpected ')'", token.position)
        if token.kind != "term":
            refuse("Expected a search term", token.position)
        return _term(token)

    def _group(self, opening: Token, depth: int) -> Node:
        if depth > MAX_DEPTH:
            refuse(f"Query nesting exceeds {MAX_DEPTH} levels", opening.position)
        if self.token is None:
            refuse("Missing closing parenthesis", opening.position)
        if self.token.kind == ")":
            refuse("Empty group", opening.position)
        node = self.alternatives(depth)
        if self.token is None:
            refuse("Missing closing parenthesis", opening.position)
        self._place += 1
        return node


def _flat(kind: type[All] | type[One], parts: Sequence[Node]) -> Node:
    """Join parts, without nesting like in like and without duplicates."""
    unique: dict[Node, None] = {}
    for part in parts:
        unique.update(dict.fromkeys(part.parts if isinstance(part, kind) else (part,)))
    return next(iter(unique)) if len(unique) == 1 else kind(tuple(unique))


def _term(token: Token) -> Term | Range:
    text = token.text.strip()
    if not text:
        refuse("Empty search term", token.position)
    prefix, colon, rest = text.partition(":")
    field = prefix.casefold()
    if not colon or (field not in FIELDS and field not in RANGES):
        return Term("", text.casefold())
    value = rest.strip()
    if not value:
        refuse("Search qualifier requires a value", token.position)
    if field in RANGES:
        return Range(field, *read_range(field, value, token.position))
    if field == "is" and value.casefold() != LOST:
        refuse(f"Search qualifier is expects {LOST}", token.position)
    key, equals, paired = value.partition("=")
    if field == "kwargs" and equals and key.strip():
        return Term("kwargs", paired.strip().casefold(), key=key.strip().casefold())
    return Term(field, value.casefold())
