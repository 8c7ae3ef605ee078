"""What every page says about the stream."""

from __future__ import annotations

import pytest

from flower.app.banner import stream_banners, warn_operator
from flower.events import NOT_YET
from flower.web.posture import Weakness
from flower_plugins import Gap
from flower_plugins.testing import FakeStatus


def texts(status: FakeStatus, now: float = 10_000.0) -> list[str]:
    return [banner.text for banner in stream_banners(status, now)]


def test_a_healthy_stream_says_nothing() -> None:
    assert texts(FakeStatus()) == []


@pytest.mark.parametrize(("reason", "count"), [(NOT_YET, 0), ("connection refused", 1)])
def test_a_stream_that_never_came_up_says_so_after_the_first_try(reason: str, count: int) -> None:
    status = FakeStatus()
    status.up, status.reason = False, reason
    assert len(texts(status)) == count


def test_a_recent_gap_is_told_with_its_times() -> None:
    """R24"""
    status = FakeStatus()
    status.gap_list = [Gap(1.0, 2.0, "long ago"), Gap(9000.0, 9061.0, "broker restarted"), Gap(9999.0, None, "open")]
    assert texts(status) == ["Events are missing from 02:30:00 to 02:31:01 UTC: broker restarted."]


def test_dropped_messages_are_told() -> None:
    """R16"""
    status = FakeStatus()
    status.dropped = {"queue_full": 3, "closed": 1}
    assert texts(status) == ["4 event messages were dropped. Counts are incomplete."]


@pytest.mark.parametrize("count", [0, 2])
def test_the_operator_reads_in_one_line_what_no_page_says(caplog: pytest.LogCaptureFixture, count: int) -> None:
    """Posture 5"""
    warn_operator([*[Weakness("no_tls", "text", "mend")] * count, Weakness("no_auth", "text", "mend", "warning")])
    assert [record.getMessage() for record in caplog.records] == [
        "Not safe: no_tls. celery flower --check says how to mend it."
    ] * bool(count)
