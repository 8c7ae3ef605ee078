"""Entry point: a renderer over string.Template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from flower_plugins import Host, Offer, OfferContext, Renderer, hookimpl

FLOWER_API_VERSION = 1


class DollarTemplates(Renderer):
    """Finds a template in the first folder that has it, and escapes every value."""

    def __init__(self, context: OfferContext) -> None:
        self._folders: Sequence[Path] = ()

    def open(self, host: Host, templates: Sequence[Path]) -> None:
        self._folders = templates

    def render(self, template: str, context: Mapping[str, Any]) -> str:
        file = next((folder / template for folder in self._folders if (folder / template).is_file()), None)
        if file is None:  # error pages are asked for as well, and nobody brought one
            return "".join(f"<p>{escape(name)}: {escape(str(value))}</p>" for name, value in context.items())
        return Template(file.read_text()).safe_substitute({name: escape(str(value)) for name, value in context.items()})


@hookimpl
def flower_renderers() -> Sequence[Offer[Renderer]]:
    return [Offer("dollar", "flower_dollar_templates.plugin:DollarTemplates", "string.Template")]
