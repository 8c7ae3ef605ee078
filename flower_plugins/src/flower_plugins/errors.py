"""Everything that can go wrong and that a caller may want to tell apart.

FlowerError
├── ConfigurationError      the start stops, exit code 2
├── QueryError              400  a filter, sort or search that cannot be read
├── InvalidParameter        400  a request parameter of the wrong type or range
├── Forbidden               403  the caller or the worker says no
├── NotFound                404  no such task, worker, page
├── Offline                 409  the worker is known but gone
├── Unavailable             503  broker or result backend out of reach
└── NoReply                 504  the worker did not answer in time
"""

from __future__ import annotations

__all__ = [
    "ConfigurationError",
    "FlowerError",
    "Forbidden",
    "InvalidParameter",
    "NoReply",
    "NotFound",
    "Offline",
    "QueryError",
    "Unavailable",
]


class FlowerError(Exception):
    """Root of the tree; `status` is the HTTP code a handler answers when it lets one pass."""

    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ConfigurationError(FlowerError):
    """A setting that cannot be honoured: what is wrong, where it was set, how to mend it."""

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        self.what, self.where, self.mend = what, where, mend
        text = what + (f" ({where})" if where else "")
        if mend:
            text += f". {mend}" if not text.endswith((".", "!", "?")) else f" {mend}"
        super().__init__(text)


class QueryError(FlowerError):
    """A task filter, sort order or search text that cannot be read."""

    status = 400


class InvalidParameter(FlowerError):
    """A request parameter that is missing, of the wrong type or out of range."""

    status = 400


class Forbidden(FlowerError):
    """The caller may not do this, or the worker refused to."""

    status = 403


class NotFound(FlowerError):
    """No such task, worker or page."""

    status = 404


class Offline(FlowerError):
    """The worker is known but no longer answers."""

    status = 409


class Unavailable(FlowerError):
    """The broker or the result backend cannot be reached, or a service did not start."""

    status = 503


class NoReply(FlowerError):
    """The worker is there but sent no reply within the time given."""

    status = 504
