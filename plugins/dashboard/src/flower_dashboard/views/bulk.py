"""An order to many tasks: which they are before it is given, and what became of each after."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence

from msgspec import Struct, field

from flower_dashboard.formats import text
from flower_dashboard.states import is_finished
from flower_dashboard.views.selection import Selection
from flower_plugins import FlowerError, Host, Task

__all__ = ["MOST", "SELECTED", "Outcome", "Preview", "carry_out", "preview"]

MOST = 10_000
"""Tasks that one order may be for."""
SELECTED = 1000
"""Tasks that can be selected one by one."""

_CHUNK = 1000
_STEP = 500
_KINDS = 5
_LONGEST_ID = 255
_OVER = "Already finished"
_GONE = "No longer kept"
_NO_ID = f"Its id is longer than {_LONGEST_ID} characters or cannot be printed"


class Preview(Struct, frozen=True):
    """What an order would be for: `total` tasks, of which `uuids` can still be acted upon.

    `names` are the most frequent task names among those, with their numbers. `too_many` says that there are more
    than one order may be for, so that nothing else was counted.
    """

    total: int
    uuids: Sequence[str] = ()
    names: Sequence[tuple[str, int]] = ()
    kinds: int = 0
    finished: int = 0
    gone: int = 0
    too_many: bool = False


class Outcome(Struct):
    """What became of each task, in words by id, and how many there are of each."""

    done: int = 0
    finished: int = 0
    failed: int = 0
    targets: dict[str, str] = field(default_factory=dict)
    errors: list[FlowerError] = field(default_factory=list)

    def note_done(self, uuids: Sequence[str], word: str) -> None:
        """Note that these were ordered."""
        self.done += len(uuids)
        self.targets.update(dict.fromkeys(uuids, word))

    def note_finished(self, uuid: str, word: str) -> None:
        """Note that there is nothing left to order about a task."""
        self.finished += 1
        self.targets[uuid] = word

    def note_failed(self, uuids: Sequence[str], word: str) -> None:
        """Note that the order did not get out for these."""
        self.failed += len(uuids)
        self.targets.update(dict.fromkeys(uuids, word))


async def preview(host: Host, selection: Selection, chosen: Sequence[str]) -> Preview:
    """Look at the chosen tasks, or at all of the selection when none is chosen."""
    if chosen:
        return await _look(len(chosen), [host.tasks.get(uuid) for uuid in chosen])
    page = await host.tasks.query(selection.first.query(limit=MOST, sort_by="", descending=False))
    if page.matching > MOST:
        return Preview(page.matching, too_many=True)
    return await _look(len(page.rows), page.rows)


async def carry_out(host: Host, uuids: Sequence[str], *, terminate: bool, signal: str) -> Outcome:
    """Revoke the tasks that have not ended meanwhile, a thousand at once; what fails ends it."""
    outcome = Outcome()
    word = f"Terminated with {signal}" if terminate else "Revoked"
    for first in range(0, len(uuids), _CHUNK):
        chunk = await _open_ones(host, uuids[first : first + _CHUNK], outcome)
        if not chunk:
            continue
        try:
            await host.control.revoke(chunk, terminate=terminate, signal=signal)
        except FlowerError as error:
            outcome.errors.append(error)
            outcome.note_failed(chunk, error.message)
            outcome.note_failed(uuids[first + _CHUNK :], "Not tried after that")
            return outcome
        outcome.note_done(chunk, word)
    return outcome


async def _open_ones(host: Host, uuids: Sequence[str], outcome: Outcome) -> list[str]:
    found = []
    async for uuid in _gently(uuids):
        task = host.tasks.get(uuid)
        if task is None:
            outcome.note_finished(uuid, _GONE)
        elif is_finished(task):
            outcome.note_finished(uuid, f"{_OVER}: {text(task.state)}")
        elif len(uuid) > _LONGEST_ID or not uuid.isprintable():
            outcome.note_failed([uuid], _NO_ID)
        else:
            found.append(uuid)
    return found


async def _look(total: int, tasks: Sequence[Task | None]) -> Preview:
    uuids: list[str] = []
    names: Counter[str] = Counter()
    gone = finished = 0
    for place, task in enumerate(tasks):
        if not place % _STEP:
            await asyncio.sleep(0)
        if task is None:
            gone += 1
        elif is_finished(task):
            finished += 1
        else:
            uuids.append(task.uuid)
            names[text(task.name)] += 1
    return Preview(total, uuids, names.most_common(_KINDS), len(names), finished, gone)


async def _gently(uuids: Sequence[str]) -> AsyncIterator[str]:
    """Yield, with a pause for others now and then."""
    for place, uuid in enumerate(uuids):
        if not place % _STEP:
            await asyncio.sleep(0)
        yield uuid
