"""The words after `flower` on a command line: which option each one sets, and what is left over."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct, field

from flower.settings.names import CELERY, CELERY_APPLIED, FIRST_PARTY, RESERVED
from flower.settings.options import BARE
from flower.settings.values import BOOLEANS
from flower_plugins import ConfigurationError, Option

__all__ = ["COMMAND_LINE", "Typed", "Words", "read"]

COMMAND_LINE = "command line"

_DASHES = re.compile(r"--?|[\u2010-\u2015\u2212]+-?")
_NUMBER = re.compile(r"-\.?\d.*|-inf", re.IGNORECASE)
_BROKER_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_LEVEL = re.compile(r"l(debug|info|warn|warning|error|critical|fatal)", re.IGNORECASE)
_ALIASES = {"h": "help"}


class Typed(NamedTuple):
    """An option as it was typed: `name` normalised, `flag` as written, `value` None when it had none."""

    name: str
    flag: str
    value: str | None
    position: int


class Words(Struct):
    """What a command line says. Positions count from 0."""

    settings: list[Typed] = field(default_factory=list)
    absent: list[Typed] = field(default_factory=list)
    unknown: list[Typed] = field(default_factory=list)
    misplaced: list[str] = field(default_factory=list)
    applied: list[str] = field(default_factory=list)
    celery: dict[str, str] = field(default_factory=dict)
    stray_broker: bool = False
    stray: list[int] = field(default_factory=list)

    def texts(self, name: str) -> list[str]:
        """Return the values typed for an option, in order."""
        return [typed.value or "" for typed in self.settings if typed.name == name]


def read(words: Sequence[str], options: Mapping[str, Option]) -> Words:
    """Sort the words. Raise ConfigurationError for an option without the value it needs."""
    return _Reader(words, options).read()


class _Reader:
    def __init__(self, words: Sequence[str], options: Mapping[str, Option]) -> None:
        self._words = words
        self._options = options
        self._at = 0
        self._found = Words()

    def read(self) -> Words:
        only_strays = False
        while self._at < len(self._words):
            word = self._words[self._at]
            self._at += 1
            if word == "--":
                only_strays = True
            elif not only_strays and (dashes := _DASHES.match(word)) and word != dashes.group():
                self._option(word, dashes.group())
            else:
                self._stray(word)
        return self._found

    def _option(self, word: str, dashes: str) -> None:
        flag, equals, text = word.partition("=")
        value = text if equals else None
        bare = flag[len(dashes) :].replace("-", "_")
        name = _ALIASES.get(bare, bare)
        position = self._at - 1
        if option := self._options.get(name):
            self._found.settings.append(Typed(name, flag, self._value(option, flag, value), position))
        elif name in RESERVED or name in FIRST_PARTY:
            self._found.absent.append(Typed(name, flag, self._absent_value(name, value), position))
        elif attached := _attached(dashes, word):
            self._celery(*attached)
        elif name in CELERY_APPLIED:
            self._celery(flag, value if value is not None else self._next(flag))
        elif name in CELERY:
            self._found.misplaced.append(flag)
            if CELERY[name] and value is None:
                self._peeked_value()
        elif dashes == "-" and _LEVEL.fullmatch(bare):
            self._found.misplaced.append(flag)
        else:
            self._found.unknown.append(Typed(name, flag, value, position))

    def _value(self, option: Option, flag: str, value: str | None) -> str:
        if value is not None:
            return value
        if option.name in BARE:
            return BARE[option.name]
        if option.type is bool:
            return self._boolean()
        return self._next(flag)

    def _boolean(self) -> str:
        if self._at < len(self._words) and self._words[self._at].lower() in BOOLEANS:
            self._at += 1
            return self._words[self._at - 1]
        return "true"

    def _absent_value(self, name: str, value: str | None) -> str | None:
        if value is not None:
            return value
        absent = RESERVED.get(name) or FIRST_PARTY[name]
        return self._boolean() if absent.switch else self._peeked_value()

    def _peeked_value(self) -> str | None:
        """Take the next word unless it is an option itself."""
        if self._at < len(self._words):
            word = self._words[self._at]
            if _NUMBER.fullmatch(word) or not _DASHES.match(word):
                self._at += 1
                return word
        return None

    def _next(self, flag: str) -> str:
        value = self._peeked_value()
        if value is None:
            raise ConfigurationError(
                f"{flag} needs a value", where=COMMAND_LINE, mend=f"Write {flag}=VALUE or {flag} VALUE"
            )
        return value

    def _celery(self, flag: str, value: str) -> None:
        name = CELERY_APPLIED[_DASHES.sub("", flag, count=1).replace("-", "_")]
        self._found.celery[name] = value
        self._found.applied.append(flag)

    def _stray(self, word: str) -> None:
        # Airflow starts Flower with the broker's URL as a word of its own.
        if _BROKER_URL.match(word) and "broker" not in self._found.celery:
            self._found.celery["broker"] = word
            self._found.stray_broker = True
        else:
            self._found.stray.append(self._at - 1)


def _attached(dashes: str, word: str) -> tuple[str, str] | None:
    """Split `-Aproj` and `-bURL`; no option of Flower begins with a capital or holds `://` before a `=`."""
    if dashes != "-" or len(word) < 3:
        return None
    flag, value = word[:2], word[2:]
    if (flag == "-A" and not value.startswith("=")) or (flag == "-b" and _BROKER_URL.match(value)):
        return flag, value
    return None
