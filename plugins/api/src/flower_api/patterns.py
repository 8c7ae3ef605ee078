"""Route patterns as the paths of documentation: named groups become {placeholders}."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["paths", "placeholders"]

_GROUP = re.compile(r"\((?:\?:|\?P<(\w+)>)?")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def paths(pattern: str) -> Sequence[str]:
    """Return the paths a pattern stands for, one for each alternative; a trailing slash is left out.

    Raise ValueError for a pattern with repetitions outside of named groups, which has no such paths.
    """
    found, rest = _alternatives(pattern)
    if rest:
        raise ValueError(f"the pattern {pattern!r} is not balanced")
    return list(dict.fromkeys(path.rstrip("/") or "/" for path in found))


def placeholders(path: str) -> Sequence[str]:
    """Return the names of a path's placeholders, in order."""
    return _PLACEHOLDER.findall(path)


def _alternatives(pattern: str) -> tuple[list[str], str]:
    done: list[str] = []
    found = [""]
    while pattern and pattern[0] != ")":
        if pattern[0] == "|":
            done, found, pattern = [*done, *found], [""], pattern[1:]
            continue
        pieces, pattern = _piece(pattern)
        if pattern[:1] == "?":
            pieces, pattern = ["", *pieces], pattern[1:]
        found = [path + piece for path in found for piece in pieces]
    return [*done, *found], pattern


def _piece(pattern: str) -> tuple[list[str], str]:
    group = _GROUP.match(pattern)
    if group is not None and group[1]:
        return [f"{{{group[1]}}}"], _behind_group(pattern)
    if group is not None:
        pieces, rest = _alternatives(pattern[group.end() :])
        return pieces, rest[1:]
    if pattern[0] == "\\" and pattern[1:2] and not pattern[1].isalnum():
        return [pattern[1]], pattern[2:]
    if pattern[0] in "\\.[]*+{}^$":
        raise ValueError(f"{pattern!r} stands for no single text")
    return [pattern[0]], pattern[1:]


def _behind_group(pattern: str) -> str:
    """Return what follows the group that a pattern begins with."""
    depth, place, in_class = 0, 0, False
    while place < len(pattern):
        char = pattern[place]
        if char == "\\":
            place += 1
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
            place += pattern[place + 1 : place + 2] in ("]", "^")
        elif char in "()":
            depth += 1 if char == "(" else -1
            if depth == 0:
                return pattern[place + 1 :]
        place += 1
    raise ValueError(f"the pattern {pattern!r} is not balanced")
