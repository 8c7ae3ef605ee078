"""The process around a Flower: what is tidied up once the start is over."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest

from flower.app import life


@pytest.fixture
def collector() -> Iterator[None]:
    """Leave the garbage collector as it was."""
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    gc.enable()


@pytest.mark.usefixtures("collector")
def test_the_garbage_collector_is_off_until_the_start_is_over_and_passes_over_what_the_start_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(life, "_SETTLING_SECONDS", 0.0)
    gc.disable()
    frozen = gc.get_freeze_count()
    asyncio.run(life._settle())
    assert gc.isenabled()
    assert gc.get_freeze_count() > frozen + 1000
    assert gc.get_threshold() == life._COLLECT_AFTER
