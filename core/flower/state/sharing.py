"""One object for equal texts, so that a million tasks of fifty names keep fifty names."""

from __future__ import annotations

__all__ = ["Shared"]

_LIMIT = 20_000
_MAX_CHARACTERS = 200


class Shared:
    """A bounded table of texts; when it is full of ones that came once, it begins anew."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        """What is there already, for a look that saves the call; `one` alone adds to it."""

    def one(self, text: str) -> str:
        """Return the text, or an equal one that is there already."""
        known = self.texts.get(text)
        if known is None:
            if len(text) > _MAX_CHARACTERS:
                return text
            if len(self.texts) >= _LIMIT:
                self.texts.clear()
            known = self.texts[text] = text
        return known
