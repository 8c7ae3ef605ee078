"""One declaration per setting: flag, environment variable, config name, help and docs all come from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct

__all__ = ["Option", "Settings"]


class Option(Struct, frozen=True):
    """Declare a setting once.

    `name` is lower_snake and gives `--name`, `--na-me`, `FLOWER_NAME` and the global `name` of
    flowerconfig.py. `type` is one of str, int, float, bool, or `object` for a value that only
    flowerconfig.py can hold. With `multiple` the value is a tuple; words are split at commas.
    `check` receives the parsed value (each item when `multiple`) and returns the value to keep or
    raises ValueError with a sentence. `secret` values never reach a log, a page or the API.
    `claims` takes over a security option that core reserves, so that setting it without the plugin
    stops the start. `unavailable` is a sentence: setting the option stops the start with it.
    """

    name: str
    type: type = str
    default: Any = None
    help: str = ""
    multiple: bool = False
    choices: Sequence[str] = ()
    env: Sequence[str] = ()
    secret: bool = False
    claims: bool = False
    unavailable: str = ""
    check: Callable[[Any], Any] | None = None


class Settings(Protocol):
    """Read access to every effective setting by option name."""

    def __getitem__(self, name: str) -> Any:
        """Return the effective value; KeyError when no option has that name."""

    def given(self, name: str) -> bool:
        """Tell whether the option was set anywhere, be it to its default."""

    def origin(self, name: str) -> str:
        """Say where the value comes from, in words fit for a message."""
