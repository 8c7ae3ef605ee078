"""What a row of the comparison is: a request, and what each side answers where the two differ.

A request is "METHOD path body", the body left out where there is none; `{added}`, `{failed}` … stand for the ids of
the tasks in `pair.FATES`. A request that both answer alike is a line of a `SAME`, one that they do not is a
`Difference`, which says what each answers and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["ANYTHING", "Difference", "lines"]

ANYTHING = object()


@dataclass(frozen=True)
class Difference:
    """A request that is answered differently on purpose.

    `theirs` and `ours` are (status, body): a text, a list of the keys of a JSON object in order, or ANYTHING.
    """

    line: str
    theirs: tuple[int, Any]
    ours: tuple[int, Any]
    why: str


def lines(text: str) -> list[str]:
    """Return the lines of a text, without the empty ones."""
    return [line for line in text.splitlines() if line]
