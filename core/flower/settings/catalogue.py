"""The options of this run: core's and the plugins', each name declared by exactly one of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from flower.settings.names import CELERY, CELERY_APPLIED, RESERVED, SECURITY
from flower.settings.options import COMMANDS, CORE, UNAUTHENTICATED_API
from flower_plugins import Option

__all__ = ["CORE_NAME", "Catalogue", "Refusal", "variable"]

CORE_NAME = "core"
"""What stands where an option's plugin is named, for core's own options."""

_TYPES = (str, int, float, bool, object)


class Refusal(NamedTuple):
    """An option that was declared and not accepted."""

    plugin: str
    option: str
    reason: str


class Catalogue(Mapping[str, Option]):
    """Options by name, core's first, then the plugins' in the order they were declared.

    Core's names always win, then the first declaration does; `refused` tells of the others. A plugin
    takes over an option that core holds as unavailable by claiming it.
    """

    def __init__(self, declared: Iterable[tuple[str, Option]] = ()) -> None:
        self._options: dict[str, Option] = {option.name: option for option in CORE}
        self._owners: dict[str, str] = dict.fromkeys(self._options, CORE_NAME)
        self._refused: list[Refusal] = []
        for plugin, option in declared:
            if option in CORE:
                continue
            reason = self._objection(option)
            if reason:
                self._refused.append(Refusal(plugin, option.name, reason))
            else:
                self._options[option.name] = option
                self._owners[option.name] = plugin
        self._variables = self._name_variables()

    def __getitem__(self, name: str) -> Option:
        return self._options[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._options)

    def __len__(self) -> int:
        return len(self._options)

    @property
    def refused(self) -> Sequence[Refusal]:
        """The declarations that were not accepted, and why."""
        return tuple(self._refused)

    @property
    def variables(self) -> Mapping[str, Option]:
        """Options by environment variable, main names and additional ones."""
        return self._variables

    @property
    def security(self) -> frozenset[str]:
        """Names whose misspelling may leave a door open."""
        claimed = {option.name for option in self._options.values() if option.claims}
        return SECURITY | RESERVED.keys() | claimed

    def owner(self, name: str) -> str:
        """Return the plugin that declared the option, or "core"."""
        return self._owners[name]

    def owned(self) -> Sequence[tuple[str, Option]]:
        """Return every option with the plugin that declared it."""
        return [(self._owners[name], option) for name, option in self._options.items()]

    def _objection(self, option: Option) -> str:
        name = option.name
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            return "the name is not in lower_snake"
        taken = self._options.get(name)
        if taken and not (self._owners[name] == CORE_NAME and taken.unavailable and option.claims):
            return f"{self._owners[name]} already declares it"
        if name in CELERY or name in CELERY_APPLIED or variable(name) == UNAUTHENTICATED_API:
            return "the name has another meaning already"
        if name in RESERVED and not option.claims:
            return "the name is reserved for a plugin that claims it"
        if option.type not in _TYPES:
            return "the type is none of str, int, float, bool, object"
        return ""

    def _name_variables(self) -> dict[str, Option]:
        options = [option for name, option in self._options.items() if name not in COMMANDS]
        variables = {variable(option.name): option for option in options}
        for option in options:
            for extra in option.env:
                variables.setdefault(extra, option)
        return variables


def variable(name: str) -> str:
    """Return the environment variable of an option."""
    return f"FLOWER_{name.upper()}"
