"""The API's description of itself: for programs at /api/openapi.json, for people at /api/docs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from flower_api.markdown import markdown
from flower_api.openapi import document
from flower_api.operations import Operation, operations
from flower_api.reference import reference
from flower_plugins.web import Handler

__all__ = ["DocsHandler", "OpenApiHandler"]

T = TypeVar("T")

_KEPT = 8  # callers name the host, so there is no end to what they could ask for


class _Describing(Handler):
    @property
    def base(self) -> str:
        """The URL that the caller reaches this server under, prefix included."""
        return f"{self.request.protocol}://{self.request.host}{self.host.url('/').rstrip('/')}"

    def described(self, make: Callable[[Sequence[Operation]], T]) -> T:
        """Return what `make` makes of the operations, made once for a URL as long as the routes are the same."""
        kept, routes = self.route.options["kept"], self.host.routes()
        key = (self.base, *self.host.challenges(), *map(id, routes))
        if key not in kept:
            if len(kept) >= _KEPT:
                kept.clear()
            kept[key] = make(operations(routes)), routes  # which keeps the ids theirs
        made: T = kept[key][0]
        return made


class OpenApiHandler(_Describing):
    """Describes the API to programs."""

    def get(self) -> None:
        """Answer with the OpenAPI document of every route that is served."""
        self.send_json(
            self.described(
                lambda found: document(
                    found,
                    version=self.host.version,
                    server=self.host.url("/").rstrip("/") or "/",
                    base=self.base,
                    challenges=self.host.challenges(),
                )
            )
        )


class DocsHandler(_Describing):
    """Describes the API to people."""

    def get(self) -> None:
        """Answer with a page, or with the same as text where nothing draws pages."""
        credentials = bool(self.host.challenges())
        made = self.described(lambda found: reference(found, base=self.base, credentials=credentials))
        context = {"reference": made, "credentials": credentials}
        html = self.host.render("api/docs.html", {**context, "handler": self, "visit": self.visit})
        if html is None:
            self.set_header("Content-Type", "text/plain; charset=UTF-8")
            self.finish(markdown(made))
            return
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.finish(html)
