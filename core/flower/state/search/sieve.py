"""Evaluates the part of a search that columns decide, one chunk at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from flower.state.search.chunk import COLUMNS, PLAIN, Chunk
from flower.state.search.columns import Places, spelt
from flower.state.search.syntax import All, Exact, Node, Not, One, Range, Term

__all__ = ["Sieve", "decided", "superset", "undecided"]

Settled = Mapping[Term, Places]
_Test = Callable[[Chunk, Settled, Places], Places]
"""Says which of some places match; what it says of other places does not count."""

_HEXADECIMAL = frozenset("0123456789abcdef-")
_FEW_VALUES = ("state", "name", "worker", "queue", "exception")


class Sieve:
    """A search of which columns decide everything."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.pairs: Sequence[Term] = tuple(dict.fromkeys(_pairs(node)))
        """Terms that somebody has to settle first, because that takes time: which places of the chunk have them."""
        self._test = _compiled(node)

    def places(self, chunk: Chunk, settled: Settled) -> Places:
        """Return the places of the tasks that match."""
        return self._test(chunk, settled, chunk.all)


def decided(node: Node) -> bool:
    """Tell whether columns alone decide."""
    if isinstance(node, Term):
        return not node.field or node.field in COLUMNS
    if isinstance(node, Not):
        return decided(node.part)
    if isinstance(node, (All, One)):
        return all(map(decided, node.parts))
    return isinstance(node, Exact)


def superset(node: Node) -> Node | None:
    """Return a search that columns decide and that finds all that this one finds; None where there is no such one."""
    if decided(node):
        return node
    if not isinstance(node, (All, One)):
        return None
    known = [part for part in map(superset, node.parts) if part is not None]
    if isinstance(node, One):
        return One(tuple(known)) if len(known) == len(node.parts) else None
    return All(tuple(known)) if known else None


def undecided(node: Node) -> Node | None:
    """Return what is left to be tested of those that `superset` finds; None for nothing."""
    if decided(node):
        return None
    if isinstance(node, All):
        return All(tuple(part for part in node.parts if not decided(part)))
    return node


def _pairs(node: Node) -> list[Term]:
    if isinstance(node, Term):
        return [node] if node.key else []
    if isinstance(node, Not):
        return _pairs(node.part)
    return [pair for part in node.parts for pair in _pairs(part)] if isinstance(node, (All, One)) else []


def _compiled(node: Node) -> _Test:
    if isinstance(node, Term):
        return _term(node)
    if isinstance(node, Exact):
        return _equal(node.field, spelt(node.text))
    if isinstance(node, Not):
        inner = _compiled(node.part)
        return lambda chunk, settled, within: chunk.all ^ inner(chunk, settled, within)
    if isinstance(node, Range):
        raise TypeError(f"no column decides {node}")
    tests = [_compiled(part) for part in sorted(node.parts, key=_cost)]
    return _all(tests) if isinstance(node, All) else _one(tests)


def _cost(node: Node) -> int:
    """Say which is to be looked at first, because it may spare the others."""
    if isinstance(node, Not):
        return _cost(node.part) + 1
    if isinstance(node, (All, One)):
        return sum(map(_cost, node.parts))
    if isinstance(node, Term):
        return 0 if node.key else 1 if node.field in _FEW_VALUES else 2 if node.field else 8
    return 1


def _term(node: Term) -> _Test:
    term = spelt(node.text)
    if node.key:
        return lambda _, settled, __: settled[node]
    if node.field == "state":
        return _equal("state", term)
    if node.field:
        field = node.field
        return lambda chunk, _, within: chunk.columns[field].holding(term, _few(chunk, within))
    return _plain(term)


def _equal(field: str, whole: str) -> _Test:
    return lambda chunk, _, __: chunk.columns[field].equal(whole)


def _few(chunk: Chunk, within: Places) -> list[int] | None:
    return None if within is chunk.all else chunk.few(within)


def _plain(term: str) -> _Test:
    hexadecimal = _HEXADECIMAL.issuperset(term)
    without_ids = tuple(name for name in PLAIN if name != "uuid")

    def places(chunk: Chunk, _: Settled, within: Places) -> Places:
        found = 0
        columns, few = chunk.columns, _few(chunk, within)
        for name in PLAIN if hexadecimal or not chunk.hexadecimal else without_ids:
            found |= columns[name].holding(term, few)
            if found == chunk.all:
                break
        return found

    return places


def _all(tests: Sequence[_Test]) -> _Test:
    def places(chunk: Chunk, settled: Settled, within: Places) -> Places:
        found = within
        for test in tests:
            found &= test(chunk, settled, found)
            if not found:
                break
        return found

    return places


def _one(tests: Sequence[_Test]) -> _Test:
    def places(chunk: Chunk, settled: Settled, within: Places) -> Places:
        found = 0
        for test in tests:
            found |= test(chunk, settled, within)
            if found == chunk.all:
                break
        return found

    return places
