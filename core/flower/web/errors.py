"""Error answers in the form the request asked for: a page, a text, or JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from flower_plugins.web import wants_json

__all__ = ["ErrorBodies"]

log = logging.getLogger(__name__)

_TEXT = "text/plain; charset=UTF-8"
_SENTENCES = {
    404: "Error, page not found",
    405: "This page does not take that method",
    500: "Something went wrong here. The server's log says what.",
}


class ErrorBodies:
    """Writes the body of every error answer; pages are drawn by the renderer, if one is installed."""

    def __init__(self, render: Callable[[str, Mapping[str, Any]], str | None]) -> None:
        self._render = render

    def body(self, surface: str, accept: str, status: int, message: str) -> tuple[str, bytes]:
        """Return (Content-Type, body)."""
        if wants_json(accept):
            text = message or _SENTENCES.get(status) or _phrase(status)
            return "application/json; charset=UTF-8", json.dumps({"error": text}).encode()
        if surface != "page":
            return _TEXT, message.encode("utf-8", "replace")
        message = message or _SENTENCES.get(status, "")
        html = self._page(status, message)
        return ("text/html; charset=UTF-8", html.encode()) if html else (_TEXT, message.encode("utf-8", "replace"))

    def _page(self, status: int, message: str) -> str | None:
        context = {"status": status, "title": _phrase(status), "message": message}
        try:
            return self._render("error.html", context)
        except Exception:  # guards the error page against a renderer that fails: text still goes out
            log.exception("The error page could not be drawn")
            return None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
