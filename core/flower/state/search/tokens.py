"""Splits a search text into words and parentheses, each with its place for error messages."""

from __future__ import annotations

from typing import NamedTuple, NoReturn

from flower_plugins import QueryError

__all__ = ["MAX_CHARACTERS", "MAX_TOKENS", "Token", "refuse", "tokenize"]

MAX_CHARACTERS = 2048
MAX_TOKENS = 128


class Token(NamedTuple):
    """`kind` is "(", ")", "AND", "OR", "NOT", "-" or "term"; `text` is a term's text without its quotes."""

    kind: str
    text: str
    position: int


def refuse(reason: str, position: int) -> NoReturn:
    """Raise QueryError naming the 0-based place of the mistake."""
    raise QueryError(f"{reason} at position {position}.")


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a search text. Raise QueryError when it is too long or a quote stays open."""
    if len(text) > MAX_CHARACTERS:
        raise QueryError(f"Query exceeds {MAX_CHARACTERS} characters.")
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        char = text[place]
        if char.isspace():
            place += 1
            continue
        if char in "()" or (char == "-" and not text[place + 1 : place + 2].isspace()):
            token, place = Token(char, char, place), place + 1
        else:
            token, place = _term(text, place)
        tokens.append(token)
        if len(tokens) > MAX_TOKENS:
            raise QueryError(f"Query exceeds {MAX_TOKENS} tokens.")
    return tokens


def _term(text: str, start: int) -> tuple[Token, int]:
    parts: list[str] = []
    quoted = False
    place = start
    while place < len(text) and not text[place].isspace() and text[place] not in "()":
        if text[place] == '"':
            quoted = True
            part, place = _phrase(text, place)
        else:
            part, place = text[place], place + 1
        parts.append(part)
    word = "".join(parts)
    kind = word if word in ("AND", "OR", "NOT") and not quoted else "term"
    return Token(kind, word, start), place


def _phrase(text: str, start: int) -> tuple[str, int]:
    """Read from an opening quote to its closing one; only quotes and backslashes can be escaped."""
    parts: list[str] = []
    place = start + 1
    while place < len(text):
        char = text[place]
        if char == '"':
            return "".join(parts), place + 1
        if char == "\\" and text[place + 1 : place + 2] in ('"', "\\"):
            place += 1
            char = text[place]
        parts.append(char)
        place += 1
    refuse("Unterminated quoted phrase", start)
