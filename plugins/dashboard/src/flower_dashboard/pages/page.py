"""What all pages share: the fragment that live pages ask for, and the message after an action."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from tornado.concurrent import Future

from flower_dashboard.flashes import flash
from flower_dashboard.fragments import Drawing, Fragments
from flower_plugins.web import Handler

__all__ = ["PageHandler"]

_OK = 200
_PASSING = frozenset(("fragment", "flash", "target", "refresh", "own"))


class PageHandler(Handler):
    """Base of the dashboard's pages.

    A fragment is drawn once for all viewers who ask for it within half a second and may do the same. Who asks
    with `Cache-Control: no-cache`, as a page does after an order it gave, sees what is true now.
    """

    shareable = True
    """Whether others may be shown what was drawn for one viewer; not where each is given something of their own."""

    _shared: Hashable = None
    _tag = ""

    async def prepare(self) -> None:
        """Read the parameters; answer with what was drawn for others, if that is what this viewer would see."""
        super().prepare()
        if (
            not self.shareable
            or self.request.body  # it may hold parameters, of which the key knows nothing
            or not self.params.get("fragment")
            or "no-cache" in self.request.headers.get("Cache-Control", "")
        ):
            return
        key = (
            self.request.protocol,
            self.request.host,
            self.request.uri,
            self.visit.refusal("write"),
            self.visit.refusal("admin"),
        )
        drawing = await self._fragments.find(key)
        if drawing is None:
            self._shared = key
        else:
            self._tag = drawing.tag
            self.set_header("Content-Type", "text/html; charset=UTF-8")
            self.finish(drawing.html)

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """Hand a drawn fragment on to those who wait for it."""
        if self._shared is not None:
            drawing = Drawing.of(chunk) if isinstance(chunk, str) and self.get_status() == _OK else None
            self._fragments.done(self._shared, drawing)
            self._shared = None
            if drawing is not None:
                self._tag, chunk = drawing.tag, drawing.html
        return super().finish(chunk)

    def compute_etag(self) -> str | None:
        """Return the tag of a shared drawing, which is worked out once; who has it already is answered 304."""
        return self._tag or super().compute_etag()

    def on_connection_close(self) -> None:
        """Let those who wait draw for themselves."""
        super().on_connection_close()
        if self._shared is not None:
            self._fragments.done(self._shared, None)

    @property
    def _fragments(self) -> Fragments:
        found: Fragments = self.route.options["fragments"]
        return found

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
