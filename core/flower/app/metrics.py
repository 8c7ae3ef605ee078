"""Collects every source's metric families, each on its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

from flower.plugins.discover import CORE
from flower.web.failures import LoginFailures
from flower.web.posture import Posture
from flower_plugins import MetricFamily, MetricSource, Sample

__all__ = ["LoginMetrics", "MetricSources", "PostureMetrics"]

log = logging.getLogger(__name__)

_MAX_FAILURES = 5


class MetricSources:
    """Asks every source; one that raises, or gives what cannot be written, is left out of that answer.

    After five such answers in a row it is left out of all others.
    """

    def __init__(self, sources: Sequence[tuple[str, MetricSource]], failed: Callable[[str, str], None]) -> None:
        """`sources` come with the plugin's name, which `failed` is told with a sentence when one is given up."""
        self._sources = list(sources)
        self._failed = failed
        self._in_a_row = [0] * len(self._sources)

    def families(self) -> Iterator[MetricFamily]:
        """Yield the families of all sources."""
        for number, (plugin, source) in enumerate(self._sources):
            if self._in_a_row[number] >= _MAX_FAILURES:
                continue
            try:
                families = list(source.families())
                if plugin != CORE:
                    _check(families)
            except Exception as error:  # the plugin boundary: one plugin's numbers must not cost the others'
                self._note_failure(number, plugin, error)
            else:
                self._in_a_row[number] = 0
                yield from families

    def _note_failure(self, number: int, plugin: str, error: Exception) -> None:
        self._in_a_row[number] += 1
        if self._in_a_row[number] == 1:
            log.exception("The metrics of plugin %s could not be read", plugin)
        if self._in_a_row[number] == _MAX_FAILURES:
            kind = type(error).__name__
            self._failed(plugin, f"the metric source is off: it raised {kind} {_MAX_FAILURES} times in a row")


def _check(families: Sequence[object]) -> None:
    for family in families:
        if not isinstance(family, MetricFamily):
            raise TypeError(f"families() gave {family!r:.100}, which is no MetricFamily")
        family.check()


class PostureMetrics(MetricSource):
    """Says in what ways the configuration is not safe."""

    def __init__(self, posture: Posture) -> None:
        self._posture = posture

    def families(self) -> Iterator[MetricFamily]:
        """Yield `flower_insecure_config`, one series per reason."""
        yield MetricFamily(
            "flower_insecure_config",
            "Ways in which this Flower is open to people it should not be open to",
            "gauge",
            ("reason",),
            [Sample((reason,), 1.0) for reason in self._posture.insecure()],
        )


class LoginMetrics(MetricSource):
    """Says how many logins failed."""

    def __init__(self, failures: LoginFailures) -> None:
        self._failures = failures

    def families(self) -> Iterator[MetricFamily]:
        """Yield `flower_auth_failures`, one series per provider."""
        yield MetricFamily(
            "flower_auth_failures",
            "Requests whose credentials were not accepted",
            "counter",
            ("provider",),
            [Sample((provider,), float(count)) for provider, count in self._failures.counts.items()],
        )
