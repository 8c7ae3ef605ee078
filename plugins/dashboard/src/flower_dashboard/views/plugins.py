"""The plugins found at the start and what became of them, those that need somebody first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from flower_dashboard.formats import label, text
from flower_plugins import Host, PluginReport

__all__ = ["PluginRow", "PluginsView", "StateCount", "plugins_view"]

_PREFIX = "flower_"
_STATES = {
    "failed": ("bad", "cross", "Failed"),
    "partly": ("warn", "alert", "Active in part"),
    "active": ("ok", "check", "Active"),
    "disabled": ("idle", "pause", "Switched off"),
}
"""Tone, icon and word by state, in the order of the page; "partly" is active with something of it refused."""


class PluginRow(Struct, frozen=True):
    """One plugin; `hooks` are names without their common beginning."""

    name: str
    dist: str
    version: str
    tone: str
    icon: str
    word: str
    error: str
    hooks: Sequence[str]


class StateCount(Struct, frozen=True):
    """How many plugins are in one state."""

    tone: str
    icon: str
    word: str
    total: int


class PluginsView(Struct, frozen=True):
    """What the page shows; `prefix` is how every hook's name begins."""

    rows: Sequence[PluginRow]
    states: Sequence[StateCount]
    prefix: str = _PREFIX


def plugins_view(host: Host) -> PluginsView:
    """Return the page: failed plugins first, then those of which something was refused, each by name."""
    order = list(_STATES)
    reports = sorted(host.plugins(), key=lambda each: (_place(order, _state(each)), text(each.name).casefold()))
    totals = Counter(_state(each) for each in reports)
    return PluginsView(
        rows=[_row(each) for each in reports],
        states=[StateCount(*_look(state), total) for state, total in totals.items()],
    )


def _state(report: PluginReport) -> str:
    return "partly" if report.state == "active" and report.error else text(report.state)


def _place(order: Sequence[str], state: str) -> int:
    return order.index(state) if state in order else len(order)


def _look(state: str) -> tuple[str, str, str]:
    return _STATES.get(state) or ("idle", "question", label(state))


def _row(report: PluginReport) -> PluginRow:
    hooks = [text(hook).removeprefix(_PREFIX) for hook in report.hooks]
    return PluginRow(
        text(report.name), text(report.dist), text(report.version), *_look(_state(report)), text(report.error), hooks
    )
