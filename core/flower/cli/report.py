"""What `--plugins` prints."""

from __future__ import annotations

import json
from collections.abc import Sequence

from msgspec.structs import asdict

from flower_plugins import PluginReport

__all__ = ["as_json", "as_text"]


def as_text(reports: Sequence[PluginReport]) -> str:
    """Return a line for each plugin, and one more for what is wrong with it."""
    rows = [("plugin", "state", "version", "from", "hooks")]
    rows += [(one.name, one.state, one.version, one.dist, ", ".join(one.hooks)) for one in reports]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = []
    for row, error in zip(rows, ["", *(one.error for one in reports)], strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        lines.append("  ".join([*cells, row[4]]).rstrip())
        if error:
            lines.append(f"    {' '.join(error.split())}")
    return "\n".join(lines)


def as_json(reports: Sequence[PluginReport]) -> str:
    """Return an array with an object for each plugin."""
    return json.dumps([{**asdict(one), "hooks": list(one.hooks)} for one in reports], indent=2)
