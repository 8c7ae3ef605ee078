"""The base of handlers that answer with a declared shape."""

from __future__ import annotations

import msgspec

from flower_plugins import Forbidden
from flower_plugins.web import Handler

__all__ = ["ApiHandler"]


class ApiHandler(Handler):
    """Answers with the structs of `flower_api.answers`."""

    def answer(self, told: msgspec.Struct) -> None:
        """Finish with a struct as JSON; unset fields are left out."""
        self.send_json(msgspec.to_builtins(told))

    def refuse_other_sites(self) -> None:
        """Raise Forbidden for another site's page."""
        if self.foreign:
            raise Forbidden("Cross-site request forbidden")
