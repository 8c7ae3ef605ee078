"""What the tasks can be narrowed by, with counts that come from the indexes of all kept tasks."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from operator import itemgetter

from msgspec import Struct

from flower_dashboard.formats import text, whole
from flower_dashboard.states import CHIPS, Look, look
from flower_dashboard.views.selection import Selection
from flower_plugins import Host, TaskQuery

__all__ = ["Chip", "Facet", "Value", "chips", "facets", "lost_chip"]

_LOST = "is:lost"
_OTHER_STATES = 5
_SHOWN = 8
_LONGEST = 200
_FACETS = (("state", "State"), ("name", "Task"), ("queue", "Queue"), ("worker", "Worker"))


class Chip(Struct, frozen=True):
    """A state to filter by; `total` is how many kept tasks are in it."""

    label: str
    look: Look | None
    total: int
    href: str
    chosen: bool


class Value(Struct, frozen=True):
    """One value of a facet; the link of a chosen one takes the filter away."""

    text: str
    total: int
    href: str
    chosen: bool


class Facet(Struct, frozen=True):
    """A field to filter by, its most frequent values first; `more` is how many are not shown."""

    field: str
    title: str
    values: Sequence[Value]
    more: int


def facets(host: Host, selection: Selection) -> list[Facet]:
    """Return the facets that have values."""
    found = (_facet(host, selection, field, title) for field, title in _FACETS)
    return [facet for facet in found if facet.values]


def chips(host: Host, selection: Selection) -> list[Chip]:
    """Return the states to filter by: the usual ones, some others, and the chosen one."""
    counts = {text(state): whole(total) for state, total in host.tasks.counts().items()}
    usual = dict(CHIPS)
    others = sorted((state for state in counts if state not in usual), key=lambda state: (-counts[state], state))
    chosen = selection.state.upper()
    wanted = [*usual, *others[:_OTHER_STATES]]
    if chosen and chosen not in wanted:
        wanted.append(selection.state)
    return [
        Chip("All", None, sum(counts.values()), selection.link(host, state=""), not chosen),
        *(
            Chip(
                usual.get(state, state[:40]),
                look(state),
                counts.get(state, 0),
                selection.link(host, state=state),
                state.upper() == chosen,
            )
            for state in wanted
        ),
    ]


async def lost_chip(host: Host, selection: Selection) -> list[Chip]:
    """Return the filter for tasks whose worker is gone, where there are any."""
    chosen = _LOST in selection.search.split()
    total = (await host.tasks.query(TaskQuery(search=_LOST, limit=0))).matching
    if not chosen and not total:
        return []
    look_of_lost = Look("Worker lost", "warn", "alert")
    other = " ".join(word for word in selection.search.split() if word != _LOST) if chosen else _LOST
    return [Chip("Worker lost", look_of_lost, total, selection.link(host, search=other), chosen)]


def _facet(host: Host, selection: Selection, field: str, title: str) -> Facet:
    counts: Mapping[str, int] = host.tasks.counts(field)
    chosen = getattr(selection, field)
    frequent = heapq.nlargest(_SHOWN, counts.items(), key=itemgetter(1))
    folded = chosen.casefold()
    if chosen and not any(text(value).casefold() == folded for value, _ in frequent):
        total = sum(number for value, number in counts.items() if value.casefold() == folded)
        frequent.append((chosen, total))
    values = []
    for value, number in frequent:
        word = text(value)
        is_chosen = bool(chosen) and word.casefold() == folded
        href = selection.link(host, **{field: "" if is_chosen else word})
        values.append(Value(word[:_LONGEST], number, href, is_chosen))
    return Facet(field, title, values, max(0, len(counts) - _SHOWN))
