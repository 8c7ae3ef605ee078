"""R11: what leaves as JSON is strict JSON, whatever was put in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flower.app.host import FlowerHost


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (float("nan"), None),
        ({"a": [float("inf")]}, {"a": [None]}),
        (10**30, 10**30),
        ("\ud800", "\ud800"),
        (["\ud800", float("nan"), -float("inf"), 10**30], ["\ud800", None, None, 10**30]),
    ],
)
def test_what_json_does_not_know_becomes_null(value: Any, read: Any) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    written = FlowerHost(None).json(value)  # type: ignore[arg-type]
    assert json.loads(written, parse_constant=refuse) == read
