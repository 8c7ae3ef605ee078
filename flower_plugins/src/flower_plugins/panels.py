"""Panels that plugins add to the page of a task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from msgspec import Struct

from flower_plugins.records import Task

__all__ = ["DrawnPanel", "PanelContent", "Render", "TaskPanel"]

PanelContent = str | Mapping[str, Any] | None
Render = Callable[[str, Mapping[str, Any]], str | None]

_LONGEST = 65_536
_LONGEST_FACT = 4096
_MOST_FACTS = 100


class DrawnPanel(Struct, frozen=True):
    """A panel of one task: a `text`, or `facts` as (name, value), or `html` that a renderer made of a template."""

    slug: str
    title: str
    text: str = ""
    facts: Sequence[tuple[str, str]] = ()
    html: str = ""


class TaskPanel(Struct, frozen=True):
    """A card on the page of a task; those with lower orders come first.

    `content` is called on the event loop whenever the page is drawn, so it must be quick. It returns a text, a mapping
    of facts to list, or None for a task without this panel. With a `template` of the plugin's own assets it returns a
    mapping of names for it instead, or is left out: the template also sees `task`, and what every template sees.
    """

    slug: str
    title: str
    content: Callable[[Task], PanelContent] | None = None
    template: str = ""
    order: int = 100

    def draw(self, task: Task, render: Render, names: Mapping[str, Any]) -> DrawnPanel | None:
        """Return the panel of a task, None where there is none.

        `names` are further names for the template. Raise what `content` and `render` raise, or TypeError for what
        `content` returns.
        """
        content: PanelContent = {} if self.content is None else self.content(task)
        if content is None:
            return None
        if self.template:
            if not isinstance(content, Mapping):
                raise TypeError(f"panel {self.slug!r} has a template and got {type(content).__name__}, not a mapping")
            html = render(self.template, {**names, **content, "task": task})
            return None if html is None else DrawnPanel(self.slug, self.title, html=html)
        if isinstance(content, str):
            return DrawnPanel(self.slug, self.title, text=_cut(content, _LONGEST))
        if isinstance(content, Mapping):
            facts = [(_cut(str(name), _LONGEST_FACT), _fact(value)) for name, value in _first(content)]
            return DrawnPanel(self.slug, self.title, facts=facts)
        raise TypeError(f"panel {self.slug!r} got {type(content).__name__}, not a text or a mapping")


def _first(content: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return list(islice(content.items(), _MOST_FACTS))


def _fact(value: Any) -> str:
    return "" if value is None else _cut(value if isinstance(value, str) else str(value), _LONGEST_FACT)


def _cut(words: str, length: int) -> str:
    words = str.__str__(words)
    return words if len(words) <= length else words[: length - 1] + "…"
