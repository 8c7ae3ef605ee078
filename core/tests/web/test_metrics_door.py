"""S38: who may read the metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from flower.web.failures import LoginFailures
from flower.web.metrics_door import MetricsDoor
from flower.web.probes import probe_routes
from flower_plugins import ConfigurationError, MetricExporter, MetricFamily
from flower_plugins.testing import FakeSettings

TOKEN = "a-token-of-twenty-xx"
GOOD = {"X-Key": "good"}


class Exporter(MetricExporter):
    """Tells a secret."""

    path = "/metrics"

    def render(self, families: Iterable[MetricFamily], headers: Mapping[str, str]) -> tuple[str, bytes]:
        return "text/plain", b"numbers"


def door(mode: str, token: str | None = None) -> MetricsDoor:
    return MetricsDoor.of(FakeSettings(metrics_auth=mode, metrics_token=token), LoginFailures())


def ask(site: Any, which: MetricsDoor, headers: dict[str, str], **how: Any) -> tuple[int, str, str]:
    status, body, answer = site(routes=probe_routes([Exporter()], which), **how).ask("/metrics", headers=headers)
    return status, body, answer.get("WWW-Authenticate", "")


def test_metrics_are_open_unless_somebody_closes_them(site: Any) -> None:
    assert ask(site, door("open"), {}, authenticated=True)[:2] == (200, "numbers")


def test_the_same_login_as_for_pages_is_demanded(site: Any) -> None:
    same = door("same")
    assert ask(site, same, {}, authenticated=True) == (401, "Access denied", 'Key realm="flower"')
    assert ask(site, same, GOOD, authenticated=True)[:2] == (200, "numbers")
    assert ask(site, same, {})[:2] == (200, "numbers")


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER  {TOKEN} "])
def test_the_token_lets_in(site: Any, header: str) -> None:
    assert ask(site, door("token", TOKEN), {"Authorization": header}, authenticated=True)[:2] == (200, "numbers")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        GOOD,
        {"Authorization": TOKEN},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer \u00fc\u00fc"},
    ],
)
@pytest.mark.parametrize("authenticated", [True, False])
def test_nothing_else_lets_in_and_failures_are_counted(site: Any, headers: dict[str, str], authenticated: bool) -> None:
    which = door("token", TOKEN)
    status, body, challenge = ask(site, which, headers, authenticated=authenticated)
    assert (status, challenge) == (401, 'Bearer realm="flower"')
    assert "numbers" not in body
    assert which.failures is not None
    assert which.failures.counts == ({"metrics_token": 1} if "Authorization" in headers else {})


@pytest.mark.parametrize(
    ("mode", "token", "words"),
    [("token", None, "FLOWER_METRICS_TOKEN"), ("open", TOKEN, "no effect"), ("same", TOKEN, "no effect")],
)
def test_a_token_that_is_missing_or_without_effect_stops_the_start(mode: str, token: str | None, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        door(mode, token)
    assert TOKEN not in caught.value.message
