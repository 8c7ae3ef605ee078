"""The badge of the environment."""

from __future__ import annotations

import pytest

from flower_dashboard.environment import badge


@pytest.mark.parametrize(
    ("name", "tone"),
    [
        ("production", "bad"),
        ("PROD-eu", "bad"),
        ("staging", "warn"),
        ("preprod", "warn"),
        ("non-production", "warn"),
        ("dev", "ok"),
        ("localhost", "ok"),
        ("blue", "idle"),
    ],
)
def test_the_tone_warns_where_it_should(name: str, tone: str) -> None:
    shown = badge(name)
    assert shown is not None
    assert (shown.name, shown.tone) == (name, tone)


def test_no_name_is_no_badge() -> None:
    assert badge("") is None


def test_a_name_is_cut_short() -> None:
    shown = badge(f"  {'x' * 50}")
    assert shown is not None
    assert shown.name == "x" * 24
