"""The report: targets first, then every figure, then the machine and what was left out. Markdown."""

from __future__ import annotations

import dataclasses
import math
import os
import platform
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path

from tests.bench.figures import Figures, Key, Quantity, Spread, times
from tests.bench.servers import OURS, PEER, PEER_VERSION
from tests.bench.targets import TARGETS
from tests.bench.trial import LAG, TIME, Scenario

__all__ = ["Run", "machine", "number", "render"]

_BROKERS = {"redis": "Redis", "rabbitmq": "RabbitMQ"}
_NEVER = (
    "More than one HTTP client at a time, TLS and authentication; browsers have [a page](benchmarks-browser.md).",
    "Networks: brokers, publisher and servers share one machine and its cores, so the broker's work slows the server.",
    "Brokers other than Redis and RabbitMQ, Redis Sentinel, and events in msgpack or yaml.",
    "The persistent history and third-party plugins.",
    "Python versions other than the one named, and operating systems other than Linux.",
    "Hours of running; that is what `make soak` is for.",
)


@dataclass
class Run:
    """One run of the harness: figures, and what it was asked for."""

    figures: Figures
    scenarios: Sequence[Scenario]
    brokers: Sequence[str]
    quick: bool
    left_out: list[str] = field(default_factory=list)


def render(run: Run) -> str:
    """Return the whole page."""
    return "\n".join(
        (
            *_head(run),
            *_targets(run.figures),
            *(line for scenario in run.scenarios for line in _scenario(run.figures, scenario)),
            *_machine(),
            *_left_out(run),
        )
    )


def machine() -> Mapping[str, str]:
    """Return what matters of this machine; no names, no paths."""
    facts = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "Python": platform.python_version(),
        "Redis": _first_number("redis-server", "--version"),
        "RabbitMQ": _first_number("rabbitmqctl", "version"),
    }
    packages = ("celery", "kombu", "tornado", "redis", "amqp", "msgspec")
    facts["packages"] = ", ".join(f"{name} {version(name)}" for name in packages)
    return facts


def number(value: float, quantity: Quantity) -> str:
    """Return a value as people write it, to about three digits."""
    if math.isinf(value):
        return "∞"
    if quantity.unit == "bytes" and value >= 2**20:
        return f"{value / 2**20:,.1f} MB"
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _head(run: Run) -> Iterator[str]:
    yield "# Benchmarks"
    yield ""
    yield (
        f"Flower of this tree beside Flower {PEER_VERSION}, measured from outside by `make bench`,"
        f" {date.today():%Y-%m-%d}."
        " Both ran by turns in one run, each from an environment of its own and in a fresh process, with private"
        " brokers and the same pre-encoded events:"
        " sent, received, started, succeeded, failed and retried, of 50 task names and 20 workers,"
        " from a publisher process."
        " Figures are medians of the repetitions that each section states, with the range in parentheses;"
        " “better” is the median of the ratios within each pair."
    )
    yield ""
    if run.quick:
        yield "This was a short run: take the ratios for an orientation and the digits for noise."
        yield ""


def _targets(figures: Figures) -> Iterator[str]:
    yield "## Targets"
    yield ""
    yield "| | floor | aim | reached | met |"
    yield "|---|---|---|---|---|"
    for target in TARGETS:
        verdict = target.judge(figures)
        if verdict is not None:
            limits = f"{target.limit(target.floor)} | {target.limit(target.aim)}"
            yield f"| {target.label} | {limits} | {verdict.text} | {verdict.met} |"
    yield ""
    yield (
        "A factor says how many times better ours is: faster, smaller or cheaper."
        " “No worse” leaves five percent to noise. Of several lists or searches the worst one counts."
    )
    yield ""


def _scenario(figures: Figures, scenario: Scenario) -> Iterator[str]:
    keys = figures.keys(scenario.name)
    if not keys:
        return
    brokers = list(dict.fromkeys(key.broker for key in keys))
    yield f"## {scenario.title}"
    yield ""
    taken = f" Taken on {_BROKERS[brokers[0]]}." if len(brokers) == 1 else ""
    yield f"{scenario.about}{taken} Repetitions: {scenario.repeat}."
    yield ""
    for part in dict.fromkeys(key.part for key in keys):
        if part:
            yield f"### {part[0].upper()}{part[1:]}"
            yield ""
        rows = [key for key in keys if key.part == part]
        timed = [key for key in rows if key.quantity in (TIME, LAG)]
        yield from _table(figures, [key for key in rows if key not in timed], len(brokers) > 1)
        yield from _times_table(figures, timed)


def _table(figures: Figures, keys: Sequence[Key], several: bool) -> Iterator[str]:
    if not keys:
        return
    yield f"| | ours | {PEER_VERSION} | better |"
    yield "|---|---|---|---|"
    for key in keys:
        subject = f"{_BROKERS[key.broker]}, {key.subject}" if several else key.subject
        cells = (f"{subject}, {_unit(key.quantity)}", *(_cell(figures, key, side) for side in (OURS, PEER)))
        yield f"| {' | '.join(cells)} | {_gain(figures.gain(key, OURS, PEER), key)} |"
    yield ""


def _times_table(figures: Figures, keys: Sequence[Key]) -> Iterator[str]:
    """Yield a table with both percentiles of a subject in one row."""
    if not keys:
        return
    yield f"| milliseconds | ours, p50 | ours, p99 | {PEER_VERSION}, p50 | {PEER_VERSION}, p99 | better, p50 |"
    yield "|---|---|---|---|---|---|"
    for key in (key for key in keys if key.quantity == TIME):
        tail = dataclasses.replace(key, quantity=LAG)
        cells = [_cell(figures, each, side) for side in (OURS, PEER) for each in (key, tail)]
        yield f"| {key.subject} | {' | '.join(cells)} | {_gain(figures.gain(key, OURS, PEER), key)} |"
    yield ""


def _unit(quantity: Quantity) -> str:
    return f"{quantity.unit} {quantity.name}" if quantity.name == "per task" else quantity.unit


def _cell(figures: Figures, key: Key, side: str) -> str:
    spread = figures.spread(key, side)
    if spread is None:
        return ""
    text = number(spread.middle, key.quantity)
    if spread.low != spread.high:
        text += f" ({number(spread.low, key.quantity)} to {number(spread.high, key.quantity)})"
    note = figures.notes(key).get(side)
    return f"{text}; {note}" if note else text


def _gain(spread: Spread | None, key: Key) -> str:
    if spread is None or key.quantity.unit == "exponent":
        return ""
    text = times(spread.middle)
    if spread.low != spread.high:
        text += f" ({times(spread.low)} to {times(spread.high)})"
    return text


def _machine() -> Iterator[str]:
    yield "## Machine"
    yield ""
    yield "| | |"
    yield "|---|---|"
    for name, fact in machine().items():
        yield f"| {name} | {fact} |"
    yield ""


def _left_out(run: Run) -> Iterator[str]:
    yield "## Not measured"
    yield ""
    open_ = [target.label for target in TARGETS if target.judge(run.figures) is None]
    missing = [f"Targets without a figure in this run: {'; '.join(open_)}."] if open_ else []
    for line in (*missing, *run.left_out, *_NEVER):
        yield f"- {line}"
    yield ""


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _first_number(*words: str) -> str:
    try:
        answer = subprocess.run(words, check=False, capture_output=True, text=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return "not installed"
    found = re.search(r"\d+(?:\.\d+)+", answer)
    return found[0] if found else "unknown"
