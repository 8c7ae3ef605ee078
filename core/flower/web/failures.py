"""Logins that failed: each is counted, and recorded as long as that does not fill the log."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from flower.audit import Attempt

__all__ = ["LoginFailures"]

_RECORDS = 10
_SECONDS = 1.0


class LoginFailures:
    """Counts by provider, and writes ten records a second at most to the audit."""

    def __init__(self, providers: Iterable[str] = (), *, clock: Callable[[], float] = time.monotonic) -> None:
        """`providers` are shown with 0 until one of their logins fails."""
        self._counts = Counter(dict.fromkeys(providers, 0))
        self._clock = clock
        self._since = clock()
        self._written = self._unwritten = 0

    @property
    def counts(self) -> Mapping[str, int]:
        """How many logins failed, by provider."""
        return self._counts

    def note(
        self, provider: str, *, address: str, method: str, target: str, recorded: bool = False, reason: str = ""
    ) -> None:
        """Count a failure; `recorded` says that the request leaves a record of its own in the audit.

        Which name was tried is not recorded: people type passwords there.
        """
        self._counts[provider] += 1
        if recorded:
            return
        now = self._clock()
        if now - self._since >= _SECONDS:
            self._since, self._written = now, 0
        if self._written == _RECORDS:
            self._unwritten += 1
            return
        self._written += 1
        more = f", and {self._unwritten} more since the record before" if self._unwritten else ""
        self._unwritten = 0
        record = Attempt(identity="", address=address, method=method, action="login", target=target, due=True)
        record.end(f"refused: {reason or f'login by {provider} failed'}{more}")
