"""Pages: navigation entries, assets, and the renderer that turns templates into HTML."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from flower_plugins.host import Host

__all__ = ["Assets", "Banner", "NavItem", "Renderer"]


class NavItem(Struct, frozen=True):
    """An entry of the navigation; `path` begins with a slash and carries no url prefix.

    `key` is the letter that leads there after `g`, "" for none; of two with one letter the first has it.
    """

    label: str
    path: str
    order: int = 100
    key: str = ""


class Assets(Struct, frozen=True):
    """Folders of a plugin: templates are found by name, static files served at /static/<plugin>/."""

    templates: Path | None = None
    static: Path | None = None


class Banner(Struct, frozen=True):
    """A sentence shown on every page until its cause is gone; `level` is "info", "warning" or "danger"."""

    level: str
    text: str


class Renderer(ABC):
    """Turns a template into a page; made as `Class(OfferContext)`, then opened once."""

    @abstractmethod
    def open(self, host: Host, templates: Sequence[Path]) -> None:
        """Take the host and every plugin's template folder, the renderer's own plugin first."""

    @abstractmethod
    def render(self, template: str, context: Mapping[str, Any]) -> str:
        """Return HTML."""
