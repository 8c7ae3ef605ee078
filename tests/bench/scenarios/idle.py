"""What Flower costs before anything happens: start-up, processor time and memory."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench.figures import Figure, Quantity
from tests.bench.trial import MEMORY, Scenario, Trial

__all__ = ["IDLE"]

_STARTED = Quantity("started", "s")
_SHARE = Quantity("share", "% of a core")
_SETTLING = 8.0


def _measure(trial: Trial) -> Iterator[Figure]:
    with trial.server(warm=False) as (server, _):
        yield Figure("start-up", _STARTED, server.started)
        # Start-up goes on after the first answer: subscribing, asking workers.
        time.sleep(_SETTLING)
        used, begun = server.cpu(), time.monotonic()
        time.sleep(trial.scale.idle_seconds)
        share = (server.cpu() - used) / (time.monotonic() - begun) * 100
        yield Figure("idle processor", _SHARE, share)
        yield Figure("idle memory", MEMORY, server.pss(), "proportional set size")


IDLE = Scenario(
    "idle",
    "Start-up and idle cost",
    "From the start of the process to the first answer of `/healthcheck`; then with no worker and no event.",
    _measure,
    brokers=("redis",),
)
