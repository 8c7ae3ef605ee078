from __future__ import annotations

import logging

import pytest

from flower.quiet import QuietLog, Throttle, one_line


def test_one_line_per_key_in_ten_seconds_and_the_next_says_how_many_were_held_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 0.0
    quiet = QuietLog(logging.getLogger("quiet"), clock=lambda: now)
    for _ in range(5):
        quiet.warning("a", "first")
    quiet.warning("b", "other")
    now = 10.0
    quiet.warning("a", "second")
    now = 20.0
    quiet.error("a", "third", ValueError("x"))
    assert caplog.messages == ["first", "other", "second (4 more like it since the last line)", "third"]
    assert caplog.records[-1].exc_info is not None


def test_keys_without_end_do_not_fill_the_memory() -> None:
    quiet = QuietLog(logging.getLogger("quiet"))
    for number in range(1000):
        quiet.warning(str(number), "x")
        quiet.warning(str(number), "x")
    assert max(len(quiet._last), len(quiet._held)) <= 100


def test_a_line_is_printable_and_bounded() -> None:
    assert one_line("a\r\n\x1b[1m\u2028'\"") == "a\\r\\n\\x1b[1m\\u2028'\""
    assert one_line("x" * 300, 10) == "x" * 10 + "..."


def test_a_chatty_logger_is_heard_five_times_a_second_and_says_what_was_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 0.0
    chatty, throttle = logging.getLogger("chatty"), Throttle(5, clock=lambda: now)
    chatty.addFilter(throttle)
    try:
        with caplog.at_level(logging.INFO, "chatty"):
            for number in range(100):
                chatty.info("line %d", number)
            now = 1.5
            chatty.info("later %s", "on")
            chatty.info("and on")
    finally:
        chatty.removeFilter(throttle)
    assert caplog.messages == [f"line {n}" for n in range(5)] + ["later on (95 lines left out before)", "and on"]
