"""What every option is worth in this run, and where it was set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Struct, field

from flower.masking import mask_url
from flower.settings.catalogue import Catalogue

__all__ = ["EffectiveSettings", "Origin"]


class Origin(NamedTuple):
    """A value that was set, and where, in words."""

    value: Any
    where: str


class EffectiveSettings(Struct, frozen=True):
    """The settings of this run; implements `flower_plugins.Settings`.

    `celery_overrides` holds `app`, `broker` and `result_backend` when they stood after `flower`.
    `file_globals` is everything flowerconfig.py defined, `file_path` is empty without such a file.
    `secret_files` are paths by the name of the secret that came from there.
    `warnings` are sentences to be logged once logging is set up.
    """

    catalogue: Catalogue
    origins: Mapping[str, Origin]
    unauthenticated_api: bool = False
    celery_overrides: Mapping[str, str] = field(default_factory=dict)
    file_globals: Mapping[str, Any] = field(default_factory=dict)
    file_path: str = ""
    secret_files: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()

    def __getitem__(self, name: str) -> Any:
        if name in self.origins:
            return self.origins[name].value
        return self.catalogue[name].default

    def given(self, name: str) -> bool:
        """Tell whether the option was set anywhere, be it to its default."""
        return name in self.origins

    def origin(self, name: str) -> str:
        """Say where the value comes from, in words fit for a message."""
        return self.origins[name].where if name in self.origins else "default"

    def masked(self) -> dict[str, Any]:
        """Return every setting by name, fit for a log: secrets as `***`, those in URLs as `**`."""
        return {
            name: "***" if option.secret and self[name] else _masked(self[name])
            for name, option in sorted(self.catalogue.items())
        }


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask_url(value)
    if isinstance(value, tuple):
        return tuple(_masked(item) for item in value)
    if callable(value):
        return getattr(value, "__qualname__", type(value).__name__)
    return value
