"""The base of handlers that answer with a declared shape."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from flower_plugins import Forbidden
from flower_plugins.web import Handler

__all__ = ["ApiHandler"]


class ApiHandler(Handler):
    """Answers with the structs of `flower_api.answers`."""

    def answer(self, told: msgspec.Struct) -> None:
        """Finish with a struct as JSON; unset fields are left out."""
        self.send_json(msgspec.to_builtins(told))

    @property
    def foreign(self) -> bool:
        """Tell whether another site's page is behind this request, which must not make workers answer."""
        site, origin = self.request.headers.get("Sec-Fetch-Site"), self.request.headers.get("Origin")
        if site is not None:
            return site not in ("same-origin", "none")
        # Browsers send no Sec-Fetch-Site over plain http, except to this machine; scripts send neither.
        return origin is not None and urlsplit(origin).netloc.lower() != self.request.host.lower()

    def refuse_other_sites(self) -> None:
        """Raise Forbidden for another site's page."""
        if self.foreign:
            raise Forbidden("Cross-site request forbidden")
