from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flower.events.backoff import Backoff


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_every_delay_is_positive_and_short_enough_to_be_back_in_five_seconds_r21(chances: list[float]) -> None:
    draws = iter(chances)
    backoff = Backoff(lambda: next(draws))
    delays = [backoff.delay() for _ in chances]
    assert all(0 < delay <= 3.0 for delay in delays)


def test_delays_grow_to_the_cap_and_begin_again_after_a_reset() -> None:
    backoff = Backoff(lambda: 1.0)
    assert [backoff.delay() for _ in range(6)] == [0.25, 0.5, 1.0, 2.0, 3.0, 3.0]
    backoff.reset()
    assert backoff.delay() == 0.25


def test_jitter_takes_up_to_half() -> None:
    assert Backoff(lambda: 0.0).delay() == 0.125
