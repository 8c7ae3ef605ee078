"""The Jinja2 environment: what templates may call, and how they show values."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined

from flower_dashboard import charts, formats, states
from flower_dashboard.environment import badge
from flower_dashboard.events import any_look
from flower_dashboard.links import path
from flower_plugins import Gap, Host, Series, Settings

__all__ = ["make_environment"]


def make_environment(host: Host, templates: Sequence[Path], settings: Settings) -> Environment:
    """Return the environment; of two templates with one name the first folder's counts."""
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in templates]),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    clock = formats.Clock(host.timezone)
    environment.globals.update(
        host=host,
        url=host.url,
        path=path,
        asset=host.asset,
        nav=host.nav_items,
        banners=host.banners,
        now=time.time,
        bars=_bars,
        lines=_lines,
        spark=charts.spark,
        auto_refresh=bool(settings["auto_refresh"]),
        natural_time=bool(settings["natural_time"]),
        environment=badge(settings["environment"] or ""),
        open_gap=lambda: _open_gap(host.status.gaps()),
    )
    environment.filters.update(
        iso=clock.iso,
        absolute=clock.absolute,
        day=clock.day,
        time=clock.time,
        ago=lambda value: clock.ago(value, time.time()),
        left=lambda value: formats.left(value, time.time()),
        duration=formats.duration,
        rough=formats.rough,
        count=formats.count,
        short=formats.short,
        label=formats.label,
        text=formats.text,
        look=states.look,
    )
    return environment


def _bars(series: Series) -> charts.Chart:
    """Return counts as stacked bars, for the macro `figure` of charts.html."""
    return charts.bars(series, any_look(list(series.labels)).__getitem__)


def _lines(series: Series, unit: str = "seconds") -> charts.Chart:
    """Return values as lines; `unit` is "seconds" or "count"."""
    words = formats.count if unit == "count" else formats.duration
    return charts.lines(series, any_look(list(series.labels)).__getitem__, words)


def _open_gap(gaps: Sequence[Gap]) -> Gap | None:
    return next((gap for gap in reversed(gaps) if gap.end is None), None)
