"""History stores: where tasks and workers survive a restart."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from flower_plugins.offers import OfferContext

__all__ = ["HistoryStore", "Row"]


class Row(Struct, frozen=True):
    """One record to keep: `kind` is "task" or "worker", `key` its uuid or host name.

    `order` grows with every change, so that the newest rows can be read first. `fields` hold only
    None, bool, int, finite float, str, and lists and dicts of these.
    """

    kind: str
    key: str
    order: int
    fields: Mapping[str, Any]


class HistoryStore(ABC):
    """Keeps rows on disk; made as `Class(OfferContext)`. Methods run on one worker thread, never two at once."""

    def __init__(self, context: OfferContext) -> None:
        """Read settings; raise ConfigurationError when they cannot work."""

    @abstractmethod
    def open(self) -> None:
        """Create or open the store. Raise ConfigurationError when the place cannot be written to."""

    @abstractmethod
    def load(self, kind: str, limit: int) -> Sequence[Row]:
        """Return the newest `limit` rows of a kind, oldest first. Damaged rows are left out and reported in the log."""

    @abstractmethod
    def save(self, rows: Sequence[Row], removed: Sequence[tuple[str, str]]) -> None:
        """Write rows and delete (kind, key) pairs in one transaction: all of it is kept or none."""

    @abstractmethod
    def close(self) -> None:
        """Flush and release."""
