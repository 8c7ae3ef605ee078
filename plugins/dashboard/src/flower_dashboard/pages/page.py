"""What all pages share: the fragment that live pages ask for, and the message after an action."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

from flower_dashboard.flashes import flash
from flower_plugins import Param
from flower_plugins.web import Handler

__all__ = ["FLASH", "FRAGMENT", "PageHandler"]

FRAGMENT = Param("fragment", bool, False, help="Answer with the changing part of the page alone.")
FLASH = (
    Param("flash", str, "", help="Code of the message to show."),
    Param("target", str, "", help="What it is about."),
)

_PASSING = frozenset(("fragment", "flash", "target", "refresh"))


class PageHandler(Handler):
    """Base of the dashboard's pages."""

    def show(self, template: str, *, subject: str = "", topics: tuple[str, ...] = (), **context: Any) -> None:
        """Finish with a page.

        `subject` is the task id or worker name a page is about, `topics` what it follows live. Without
        the setting `auto_refresh` it follows nothing.
        """
        self.send_page(
            template,
            fragment=self.params.get("fragment", False),
            flash=flash(self.params.get("flash", ""), self.params.get("target", ""), subject) if subject else None,
            here=self._here(),
            topics=topics if self.host.settings["auto_refresh"] else (),
            **context,
        )

    def _here(self) -> str:
        """Return the page's own URL without what belongs to this one request."""
        kept = [item for item in parse_qsl(self.request.query, keep_blank_values=True) if item[0] not in _PASSING]
        return self.request.path + (f"?{urlencode(kept)}" if kept else "")
