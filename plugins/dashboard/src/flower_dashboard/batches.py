"""What was shown in a preview is what is acted upon: the ids wait here until the visitor says yes."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

__all__ = ["Batches"]

_MOST = 32
_SECONDS = 600.0


class Batches:
    """Lists of task ids, each to be taken once within ten minutes; when there are too many the oldest go."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._kept: OrderedDict[str, tuple[float, tuple[str, ...]]] = OrderedDict()

    def keep(self, uuids: Sequence[str]) -> str:
        """Keep a list and return the word to take it by, which cannot be guessed."""
        while len(self._kept) >= _MOST:
            self._kept.popitem(last=False)
        token = secrets.token_urlsafe(16)
        self._kept[token] = self._monotonic(), tuple(uuids)
        return token

    def take(self, token: str) -> tuple[str, ...] | None:
        """Return the list and forget it; None when it is gone."""
        made, uuids = self._kept.pop(token, (0.0, None))
        return uuids if uuids is not None and self._monotonic() - made <= _SECONDS else None
