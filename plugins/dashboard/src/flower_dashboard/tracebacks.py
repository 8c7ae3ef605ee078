"""Python tracebacks as frames, so that a page can show the user's own code and fold the libraries'."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from msgspec import Struct

__all__ = ["Block", "Frame", "blocks"]

_FRAME = re.compile(r'^  File "(?P<file>[^"\n]*)", line (?P<line>\d+)(?:, in (?P<function>.*))?$')
_LIBRARY = re.compile(r"[/\\](?:site-packages|dist-packages|python\d[\d.]*|celery|billiard|kombu)[/\\]|^<frozen ")


class Frame(Struct, frozen=True):
    """One `File …, line …, in …` entry and the source lines below it."""

    file: str
    line: str
    function: str
    code: str

    @property
    def library(self) -> bool:
        """True for code that was installed rather than written here."""
        return _LIBRARY.search(self.file) is not None


class Block(Struct, frozen=True):
    """A stretch of a traceback: some text, or frames that are all of the user's code or all of libraries."""

    text: str = ""
    frames: tuple[Frame, ...] = ()
    folded: bool = False


def blocks(traceback: str) -> list[Block]:
    """Return a traceback in its order; a text that is none comes back as one text block."""
    result: list[Block] = []
    for kind, items in groupby(_parts(traceback.rstrip().split("\n")), key=_kind):
        parts = list(items)
        if kind == "text":
            result.append(Block(text="\n".join(part for part in parts if isinstance(part, str)).strip("\n")))
        else:
            frames = tuple(part for part in parts if isinstance(part, Frame))
            result.append(Block(frames=frames, folded=kind == "library"))
    return [block for block in result if block.text or block.frames]


def _kind(part: str | Frame) -> str:
    if isinstance(part, str):
        return "text"
    return "library" if part.library else "own"


def _parts(lines: list[str]) -> Iterator[str | Frame]:
    position = 0
    while position < len(lines):
        match = _FRAME.match(lines[position])
        position += 1
        if match is None:
            yield lines[position - 1]
            continue
        start = position
        while position < len(lines) and lines[position].startswith("    "):
            position += 1
        code = "\n".join(line[4:] for line in lines[start:position])
        yield Frame(match["file"], match["line"], match["function"] or "", code)
