"""From text, or from a value of flowerconfig.py, to what an option holds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

from flower_plugins import ConfigurationError, Option

__all__ = ["BOOLEANS", "adopt", "effective", "empty", "parse"]

BOOLEANS: Final = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
}
"""The words for yes and no, in lower case."""


def parse(option: Option, texts: Iterable[str]) -> Any:
    """Return the value of an option that was written as text, maybe several times.

    Texts of a `multiple` option are split at commas and added up, of any other the last one counts.
    Raise ValueError with a sentence.
    """
    texts = list(texts)
    if option.multiple:
        items = [item.strip() for text in texts for item in text.split(",")]
        return tuple(_finish(option, _parse_one(option, item)) for item in items if item)
    return _finish(option, _parse_one(option, texts[-1]))


def adopt(option: Option, value: Any) -> Any:
    """Return the value of an option from what flowerconfig.py assigned to its name.

    Raise ValueError with a sentence.
    """
    if isinstance(value, str) and option.type is not object:
        return parse(option, [value])
    if not option.multiple:
        return _finish(option, _adopt_one(option, value))
    items = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
    return tuple(_finish(option, _adopt_one(option, item)) for item in items)


def effective(option: Option, value: Any) -> bool:
    """Tell whether a value asks for anything beyond what happens when the option is left out."""
    return bool(value != option.default and (value or option.default))


def empty(value: Any) -> bool:
    """Tell whether nothing at all was given."""
    return value in ("", ())


def _parse_one(option: Option, text: str) -> Any:
    kind = option.type
    if kind is bool:
        return _parse_bool(option, text)
    if kind is int or kind is float:
        return _parse_number(option, text)
    if kind is object:
        raise ValueError("it can only be set in flowerconfig.py")
    return text


def _parse_bool(option: Option, text: str) -> bool:
    try:
        return BOOLEANS[text.strip().lower()]
    except KeyError:
        raise ValueError(f"{_shown(option, text)} is neither true nor false") from None


def _parse_number(option: Option, text: str) -> int | float:
    kind = "a whole number" if option.type is int else "a number"
    try:
        number: int | float = int(text) if option.type is int else float(text)
    except ValueError:
        raise ValueError(f"{_shown(option, text)} is not {kind}") from None
    if math.isnan(number):
        raise ValueError(f"{_shown(option, text)} is not {kind}")
    return number


def _adopt_one(option: Option, value: Any) -> Any:
    kind = option.type
    if isinstance(value, str) and kind is not object:
        return _parse_one(option, value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    # True and False are ints to Python, yet not what somebody who sets a number meant.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(f"it must be of type {kind.__name__}, not {type(value).__name__}")
    if isinstance(value, float) and math.isnan(value):
        raise ValueError("nan is not a number")
    return value


def _finish(option: Option, value: Any) -> Any:
    if option.choices and value not in option.choices:
        named = {choice.lower(): choice for choice in option.choices}
        if str(value).lower() not in named:
            raise ValueError(f"{_shown(option, value)} is not one of {', '.join(option.choices)}")
        value = named[str(value).lower()]
    if option.check is None:
        return value
    try:
        checked = option.check(value)
    except ConfigurationError:
        raise
    except ValueError as error:
        raise ValueError(_withheld(option) if option.secret and not _literal(error) else str(error)) from None
    except Exception as error:  # a check is a plugin's code: its failure may not become a traceback
        raise ValueError(f"its check failed with {type(error).__name__}") from error
    if checked is None:
        raise ValueError("its check returned nothing, where the value was to be returned")
    return checked


def _literal(error: Exception) -> bool:
    """Tell whether the sentence stands like that in the code that raised it, so that no value is part of it.

    Masking is no way out: a short value occurs in sentences by chance, and parts of a long one remain.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and str(error) in trace.tb_frame.f_code.co_consts


def _withheld(option: Option) -> str:
    return f"the value is not accepted; it is to be: {option.help}" if option.help else "the value is not accepted"


def _shown(option: Option, value: object) -> str:
    return "the value" if option.secret else f"'{value}'"
