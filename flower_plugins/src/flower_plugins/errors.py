"""Everything that can go wrong and that a caller may want to tell apart.

FlowerError
├── ConfigurationError      the start stops, exit code 2
├── QueryError              400  a filter, sort or search that cannot be read
├── InvalidParameter        400  a request parameter of the wrong type or range
├── Forbidden               403  the caller or the worker says no
│   └── LoginRefused        403  a login that proves too little, or the wrong person
├── NotFound                404  no such task, worker, page
├── Offline                 409  the worker is known but gone
├── TooManyAttempts         429  passwords are tried too fast
├── ProviderFailed          502  the login provider is down, slow, or makes no sense
├── Unavailable             503  broker or result backend out of reach
└── NoReply                 504  the worker did not answer in time
"""

from __future__ import annotations

__all__ = [
    "ConfigurationError",
    "FlowerError",
    "Forbidden",
    "InvalidParameter",
    "LoginRefused",
    "NoReply",
    "NotFound",
    "Offline",
    "ProviderFailed",
    "QueryError",
    "TooManyAttempts",
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


class LoginRefused(Forbidden):
    """A login that is turned away; the message is shown to the person, escaped."""


class NotFound(FlowerError):
    """No such task, worker or page."""

    status = 404


class Offline(FlowerError):
    """The worker is known but no longer answers."""

    status = 409


class TooManyAttempts(FlowerError):
    """This caller failed to log in too often; `retry_after` is in seconds."""

    status = 429

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ProviderFailed(FlowerError):
    """The login provider cannot be reached, is slow, or answers what makes no sense; nobody is let in."""

    status = 502


class Unavailable(FlowerError):
    """The broker or the result backend cannot be reached, or a service did not start."""

    status = 503


class NoReply(FlowerError):
    """The worker is there but sent no reply within the time given."""

    status = 504
