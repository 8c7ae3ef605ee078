"""One line for every attempt to change something, on the logger `flower.audit`."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timezone

__all__ = ["record"]

log = logging.getLogger("flower.audit")
log.setLevel(logging.INFO)  # --logging=warning quietens the program, not the record of what people did


def record(*, identity: str, address: str, method: str, action: str, target: str, outcome: str) -> None:
    """Write a JSON line; `outcome` is "ok", "refused" or "failed", with a reason after a colon."""
    log.info(
        "%s",
        json.dumps(
            {
                "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
                "identity": identity,
                "address": address,
                "method": method,
                "action": action,
                "target": target[:1000],
                "outcome": outcome[:1000],
            }
        ),
    )
