"""What a page says after an action: a URL carries a code and a target, the words come from here."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["CODES", "Flash", "flash"]

CODES = {
    "revoked": "Revoked {target}. Workers drop it when it is its turn.",
    "terminated": "Terminated {target}: its worker was asked to kill the process that runs it.",
    "aborted": "Marked {target} as aborted. It ends when it looks.",
    "shutdown": "{target} was asked to shut down. It ends after its running tasks.",
    "pool-restart": "{target} restarts its pool.",
    "pool-grow": "{target} grows its pool.",
    "pool-shrink": "{target} shrinks its pool.",
    "autoscale": "{target} keeps its pool between the new bounds.",
    "consumer-add": "{target} takes messages from one more queue.",
    "consumer-cancel": "{target} takes no more messages from that queue.",
    "rate-limit": "{target} keeps to the new rate.",
    "time-limit": "{target} keeps to the new time limits.",
    "refreshed": "{target} was asked again.",
}


class Flash(Struct, frozen=True):
    """A sentence in two parts around the thing it is about."""

    before: str
    target: str
    after: str


def flash(code: str, target: str, subject: str) -> Flash | None:
    """Return the message of a redirect; None unless `target` is the very thing the page is about."""
    template = CODES.get(code)
    if template is None or target != subject:
        return None
    before, _, after = template.partition("{target}")
    return Flash(before, subject, after)
