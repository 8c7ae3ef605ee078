"""What `--help` prints, and the same as a table for the documentation."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from flower.settings import BARE, COMMANDS
from flower.settings.catalogue import variable
from flower_plugins import Option

__all__ = ["help_text", "options_table"]

_COLUMN = 32
_TWO_COLUMNS = 80  # narrower than this, help stands below the option instead of beside it
_INTRODUCTION = (
    "Every option may be written --name=value or --name value, with - or _ between words; a switch needs no value. "
    "It may also stand in the environment as FLOWER_NAME or in flowerconfig.py as a variable name. "
    "The command line comes first, then flowerconfig.py, then the environment."
)
_USAGE = {True: "flower [celery options] [options]", False: "celery [celery options] flower [options]"}
_KINDS = {str: "TEXT", int: "N", float: "NUMBER", bool: "BOOL", object: "FUNCTION"}


def help_text(options: Sequence[tuple[str, Option]], *, width: int | None = None, alone: bool = False) -> str:
    """Return every option with help, default and variable, grouped by the plugin that declares it.

    `width` is the terminal's own when None.
    """
    width = max(50, min(width or shutil.get_terminal_size().columns, 110))
    groups: dict[str, list[Option]] = {}
    for plugin, option in options:
        groups.setdefault(plugin, []).append(option)
    names = {option.name for _, option in options}
    lines = [f"Usage: {_USAGE[alone]}", "", *textwrap.wrap(_INTRODUCTION, width)]
    for plugin, members in groups.items():
        lines += ["", f"{plugin}:"]
        for option in members:
            lines += _entry(option, width, names)
    return "\n".join(lines)


def options_table(options: Iterable[tuple[str, Option]]) -> str:
    """Return the options as a Markdown table."""
    options = list(options)
    names = {option.name for _, option in options}
    rows = [("Option", "Environment", "Type", "Default", "Plugin", "Meaning"), ("---",) * 6]
    for plugin, option in options:
        variables = ", ".join(f"`{name}`" for name in _variables(option, names)) or "-"
        default = _default(option)
        rows.append(
            (f"`{option.name}`", variables, _type(option), f"`{default}`" if default else "-", plugin, _meaning(option))
        )
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows) + "\n"


def _entry(option: Option, width: int, names: Collection[str]) -> list[str]:
    notes = [f"default: {default}"] if (default := _default(option)) else []
    notes += _variables(option, names)
    text = f"{_meaning(option)} [{', '.join(notes)}]" if notes else _meaning(option)
    flag = f"  {_flag(option)}"
    if width < _TWO_COLUMNS:
        return [flag, *textwrap.wrap(text, width, initial_indent=" " * 6, subsequent_indent=" " * 6)]
    wrapped = textwrap.wrap(text, width - _COLUMN, break_long_words=False)
    indented = [" " * _COLUMN + line for line in wrapped]
    if len(flag) > _COLUMN - 2:
        return [flag, *indented]
    return [flag.ljust(_COLUMN) + wrapped[0], *indented[1:]]


def _flag(option: Option) -> str:
    if option.type is object:
        return option.name
    if option.type is bool or option.name in COMMANDS:
        switch = f"--{option.name}"
        return switch + _more(option) if option.name in COMMANDS else f"{switch}[=BOOL]"
    kind = "|".join(option.choices) if option.choices and len(option.choices) < 4 else _KINDS[option.type]
    return f"--{option.name}={kind}{',…' if option.multiple else ''}"


def _more(option: Option) -> str:
    """Return what may follow a command's name and need not."""
    more = [choice for choice in option.choices if choice != BARE.get(option.name)]
    return f"[={'|'.join(more)}]" if more else ""


def _type(option: Option) -> str:
    if option.choices:
        return ", ".join(option.choices)
    kind = {str: "text", int: "whole number", float: "number", bool: "yes or no", object: "function"}[option.type]
    return f"{kind}, several" if option.multiple else kind


def _variables(option: Option, names: Collection[str]) -> list[str]:
    """Return an option's environment variables; a secret has one for a file, unless an option has that name."""
    if option.name in COMMANDS or option.type is object:
        return []
    files = [f"{variable(option.name)}_FILE"] if option.secret and f"{option.name}_file" not in names else []
    return [variable(option.name), *option.env, *files]


def _default(option: Option) -> str:
    value: Any = option.default
    if option.secret or option.name in COMMANDS or value is None or value in ("", ()):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return ",".join(str(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _meaning(option: Option) -> str:
    sentences = [" ".join(option.help.split())]
    if option.type is object:
        sentences.append("Only in flowerconfig.py.")
    elif option.choices and len(option.choices) > 3:
        sentences.append(f"One of {', '.join(option.choices)}.")
    if option.unavailable:
        sentences.append(f"{option.unavailable.rstrip('.')}.")
    return " ".join(filter(None, sentences)) or option.name
