"""Charts as paths: drawn on the server, so that they are there without a script and move with the page.

A drawing is as many units wide as there are buckets and 100 high; the page stretches it to its place.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from flower_dashboard.formats import count, rough
from flower_plugins import Series

__all__ = ["Band", "Chart", "bars", "coarse", "lines", "spark"]

HEIGHT = 100.0
_MOST = 150
_BAR = 0.86
_NICE = (1, 2, 3, 4, 5, 6, 8, 10)
_FACTORS = (1, 2, 3, 5, 6, 10, 12, 15, 20, 30, 60)

Values = Sequence[float | None]


class Band(Struct, frozen=True):
    """One label's drawing. `tone` names its colour; `total` is its sum, or its last value, in words."""

    label: str
    tone: str
    path: str
    total: str


class Chart(Struct, frozen=True):
    """A drawing `width` units wide. `top` is what its upper edge stands for, in words.

    `unknown` covers the buckets of which nothing is known, `partial` the one that is still filling. `values` holds
    the numbers as JSON, for a script that tells them. `ticks` are points in time, evenly spaced from edge to edge.
    """

    width: int
    bands: Sequence[Band]
    top: str
    unknown: str
    partial: str
    start: float
    step: int
    ticks: Sequence[float]
    values: str
    summary: str
    stacked: bool

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to see."""
        return not any(band.path for band in self.bands)


def bars(series: Series, look: Callable[[str], tuple[str, str]]) -> Chart:
    """Return stacked bars of counts; `look` gives a label's words and tone."""
    found = coarse(series, _sum)
    highest = max((sum(value or 0.0 for value in column) for column in _columns(found)), default=0.0)
    top = _nice(highest)
    stacked = [0.0] * len(found)
    bands = []
    for label, values in found.values.items():
        words, tone = look(label)
        steps = []
        for place, value in enumerate(values):
            if value:
                below, stacked[place] = stacked[place], stacked[place] + value
                steps.append(_bar(place, below, stacked[place], top))
        bands.append(Band(words, tone, "".join(steps), count(sum(value or 0.0 for value in values))))
    names = {label: look(label)[0] for label in found.values}
    return _chart(found, bands, count(top), names, count, stacked=True)


def lines(
    series: Series,
    look: Callable[[str], tuple[str, str]],
    words: Callable[[float], str] = rough,
    *,
    sampled: bool = False,
) -> Chart:
    """Return lines of seconds, or of what `words` makes of a value; the highest of what is drawn as one point.

    Of what is `sampled` nothing is known before the first sample; of other values there may have been none.
    """
    found = coarse(series, max)
    top = _nice(max((value or 0.0 for values in found.values.values() for value in values), default=0.0))
    bands = []
    for label, values in found.values.items():
        name, tone = look(label)
        last = next((value for value in reversed(values) if value is not None), None)
        bands.append(Band(name, tone, _line(values, top), "" if last is None else words(last)))
    names = {label: look(label)[0] for label in found.values}
    return _chart(found, bands, words(top), names, words, stacked=False, sampled=sampled)


def spark(values: Values) -> str:
    """Return small bars, one unit wide each, as a path; "" where there is nothing."""
    highest = max((value or 0.0 for value in values), default=0.0)
    if highest <= 0:
        return ""
    return "".join(_bar(place, 0.0, value, highest) for place, value in enumerate(values) if value)


def coarse(series: Series, merge: Callable[[Sequence[float]], float]) -> Series:
    """Return the series with at most 150 buckets, neighbours merged; a bucket with nothing known stays unknown."""
    factor = next((each for each in _FACTORS if len(series) / each <= _MOST), math.ceil(len(series) / _MOST) or 1)
    if factor == 1:
        return series
    step = series.step * factor
    # Edges stand at multiples of the new step, so that bars keep their place while time goes on.
    lead = round((series.start % step) / series.step)
    values = {}
    for label, row in series.values.items():
        padded = [None] * lead + list(row)
        groups = (padded[at : at + factor] for at in range(0, len(padded), factor))
        values[label] = [_merged(group, merge) for group in groups]
    return Series(series.start - lead * series.step, step, values, series.incomplete)


def _merged(group: Values, merge: Callable[[Sequence[float]], float]) -> float | None:
    known = [value for value in group if value is not None]
    return merge(known) if known else None


def _sum(values: Sequence[float]) -> float:
    return float(sum(values))


def _columns(series: Series) -> list[list[float | None]]:
    return [list(column) for column in zip(*series.values.values(), strict=True)]


def _chart(
    series: Series,
    bands: Sequence[Band],
    top: str,
    names: Mapping[str, str],
    words: Callable[[float], str],
    *,
    stacked: bool,
    sampled: bool = False,
) -> Chart:
    width = len(series)
    blank = [place for place, column in enumerate(_columns(series)) if all(value is None for value in column)]
    told = {
        names[label]: [None if value is None else words(value) for value in values]
        for label, values in series.values.items()
    }
    quarter = width * series.step / 4
    return Chart(
        width=max(width, 1),
        bands=bands,
        top=top,
        unknown=_cover(blank if stacked else blank[: _first_known(blank)] if sampled else []),
        partial=_cover([width - 1]) if series.incomplete and width else "",
        start=series.start,
        step=series.step,
        ticks=[series.start + number * quarter for number in range(5)],
        values=json.dumps(told, ensure_ascii=True, separators=(",", ":")),
        summary="; ".join(f"{band.label} {band.total}" for band in bands if band.total),
        stacked=stacked,
    )


def _bar(place: int, low: float, high: float, top: float) -> str:
    lower, upper = _y(low, top), _y(high, top)
    return f"M{_n(place + (1 - _BAR) / 2)} {_n(lower)}V{_n(min(upper, lower - 0.4))}h{_BAR}V{_n(lower)}z"


def _line(values: Values, top: float) -> str:
    steps, drawing = [], False
    for place, value in enumerate(values):
        if value is None:
            drawing = False
            continue
        # A point alone is a short stroke, or nobody would see it.
        steps.append(f"{'L' if drawing else 'M'}{_n(place + 0.5)} {_n(_y(value, top))}{'' if drawing else 'h.4'}")
        drawing = True
    return "".join(steps)


def _first_known(blank: Sequence[int]) -> int:
    """Return the place of the first bucket that is not among the blank ones."""
    return next((at for at, place in enumerate(blank) if at != place), len(blank))


def _cover(places: Sequence[int]) -> str:
    return "".join(f"M{place} 0h1V{HEIGHT:g}h-1z" for place in places)


def _y(value: float, top: float) -> float:
    return HEIGHT - (value / top * HEIGHT if top else 0.0)


def _nice(value: float) -> float:
    """Return a round number not below the value, for the upper edge."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(each * power for each in _NICE if each * power >= value * 0.999)


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
