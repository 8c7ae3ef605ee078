"""The API's description of itself: for programs at /api/openapi.json, for people at /api/docs."""

from __future__ import annotations

from flower_api.markdown import markdown
from flower_api.openapi import document
from flower_api.operations import operations
from flower_api.reference import reference
from flower_plugins.web import Handler

__all__ = ["DocsHandler", "OpenApiHandler"]


class _Describing(Handler):
    @property
    def base(self) -> str:
        """The URL that the caller reaches this server under, prefix included."""
        return f"{self.request.protocol}://{self.request.host}{self.host.url('/').rstrip('/')}"


class OpenApiHandler(_Describing):
    """Describes the API to programs."""

    def get(self) -> None:
        """Answer with the OpenAPI document of every route that is served."""
        self.send_json(
            document(
                operations(self.host.routes()),
                version=self.host.version,
                server=self.host.url("/").rstrip("/") or "/",
                base=self.base,
                challenges=self.host.challenges(),
            )
        )


class DocsHandler(_Describing):
    """Describes the API to people."""

    def get(self) -> None:
        """Answer with a page, or with the same as text where nothing draws pages."""
        found = operations(self.host.routes())
        made = reference(found, base=self.base, credentials=bool(self.host.challenges()))
        context = {"reference": made, "credentials": bool(self.host.challenges())}
        html = self.host.render("api/docs.html", {**context, "handler": self, "visit": self.visit})
        if html is None:
            self.set_header("Content-Type", "text/plain; charset=UTF-8")
            self.finish(markdown(made))
            return
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.finish(html)
