"""The text of the search box and the exact filters in the URL: two spellings of one query.

The box shows everything; links carry `state`, `worker` and `name` apart, because those are exact
and answered from an index. A lone `state:X` in the text means the same as the filter and moves there.
"""

from __future__ import annotations

import re

__all__ = ["combine", "lift_state"]

_TOKEN = re.compile(r'(?:"(?:\\.|[^"\\])*"|\\.|[^\s()"\\])+|[()]')
_PLAIN = re.compile(r'[^\s()"\\]+')


def lift_state(search: str) -> tuple[str, str]:
    """Return (state, the remaining text); the state is "" unless exactly one stands at the top level.

    A text joined by OR, or with unbalanced parentheses or quotes, is left alone.
    """
    depth, found = 0, []
    for match in _TOKEN.finditer(search):
        word = match.group()
        if word == "(":
            depth += 1
        elif word == ")":
            depth -= 1
        elif depth == 0 and word == "OR":
            return "", search
        elif depth == 0 and word.lower().startswith("state:") and _PLAIN.fullmatch(word[6:]):
            found.append(match)
    if depth or len(found) != 1 or search.count('"') % 2:
        return "", search
    match = found[0]
    before, after = search[: match.start()].split(), search[match.end() :].split()
    if "AND" in (before[-1:] + after[:1]):
        return "", search
    rest = f"{search[: match.start()].rstrip()} {search[match.end() :].lstrip()}".strip()
    return match.group()[6:], rest


def combine(search: str, **filters: str) -> str:
    """Return the whole query as one text of the search language."""
    given = [f"{key}:{_quoted(value)}" for key, value in filters.items() if value]
    search = search.strip()
    if search and given and _has_top_level_or(search):
        search = f"({search})"
    return " ".join([part for part in (search, *given) if part])


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _has_top_level_or(search: str) -> bool:
    depth = 0
    for match in _TOKEN.finditer(search):
        word = match.group()
        depth += (word == "(") - (word == ")")
        if depth == 0 and word == "OR":
            return True
    return False
