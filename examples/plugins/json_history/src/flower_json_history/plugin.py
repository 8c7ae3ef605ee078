"""Entry point: a history store that is one JSON file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from flower_plugins import ConfigurationError, HistoryStore, Offer, OfferContext, Option, Row, hookimpl

FLOWER_API_VERSION = 1


class JsonFile(HistoryStore):
    """Its methods run on one thread, never two at once, so they may block."""

    def __init__(self, context: OfferContext) -> None:
        self._path = Path(context.settings["json_history"])
        self._rows: dict[tuple[str, str], Row] = {}

    def open(self) -> None:
        try:
            rows = json.loads(self._path.read_text()) if self._path.exists() else []
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{self._path} cannot be read: {error}", where="json_history") from error
        self._rows = {(kind, key): Row(kind, key, order, fields) for kind, key, order, fields in rows}

    def load(self, kind: str, limit: int) -> Sequence[Row]:
        rows = sorted((row for row in self._rows.values() if row.kind == kind), key=lambda row: row.order)
        return rows[-limit:]

    def save(self, rows: Sequence[Row], removed: Sequence[tuple[str, str]]) -> None:
        self._rows.update({(row.kind, row.key): row for row in rows})
        for key in removed:
            self._rows.pop(key, None)
        fresh = self._path.with_suffix(".new")  # replaced as a whole: all of it is kept or none
        fresh.write_text(json.dumps([(row.kind, row.key, row.order, row.fields) for row in self._rows.values()]))
        fresh.replace(self._path)

    def close(self) -> None:
        self._rows = {}


@hookimpl
def flower_options() -> Sequence[Option]:
    return [Option("json_history", str, None, "The JSON file that tasks and workers are kept in")]


@hookimpl
def flower_history_stores() -> Sequence[Offer[HistoryStore]]:
    return [Offer("json", "flower_json_history.plugin:JsonFile", "a JSON file", when="json_history")]
