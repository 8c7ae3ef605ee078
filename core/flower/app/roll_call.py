"""Tells the state which tasks workers hold: those that ran before we listened, and those we lost sight of."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from typing import Any

from flower.control import TASK_LISTS
from flower.state import State
from flower.state.held import Answer, HeldTask, read_held
from flower.state.losses import open_states

__all__ = ["RollCall"]

_AT_ONCE = 50
_MAX_LIST = 1000
_RATED = re.compile(r"(?P<name>\S+) \[.*\brate_limit=")


class RollCall:
    """The listener of `flower.control.InspectService`; merges answers in small pieces, between which others run."""

    def __init__(self, state: State) -> None:
        self._state = state

    def asking(self) -> int:
        """Return the version of the tasks: what changes from now on is newer than any answer."""
        return self._state.tasks.version

    async def answered(self, replies: Mapping[str, Mapping[str, Any]], mark: int) -> None:
        """Merge what workers hold, then correct what is believed of tasks that they do not hold."""
        answers: dict[str, Answer] = {}
        for hostname, reply in replies.items():
            worker = self._state.workers.get(hostname)
            if worker is None or not worker.online:
                # Who sends no events would never tell of an end. Those that do are asked when they are first heard.
                continue
            held = await self._merged(hostname, reply, mark)
            if _is_whole(reply):
                answers[hostname] = Answer(held, frozenset(_rated(reply.get("registered"))))
        if answers:
            await self._settle(answers, mark)

    async def _merged(self, hostname: str, reply: Mapping[str, Any], mark: int) -> frozenset[str]:
        """Return the ids of the tasks that a worker holds."""
        ids: set[str] = set()
        for method in TASK_LISTS:
            entries = reply.get(method)
            if not isinstance(entries, list):
                continue
            for first in range(0, len(entries), _AT_ONCE):
                held = _read(hostname, entries[first : first + _AT_ONCE], running=method == "active")
                ids.update(one.uuid for one in held)
                self._state.merge_held(held, mark)
                await asyncio.sleep(0)
        return frozenset(ids)

    async def _settle(self, answers: Mapping[str, Answer], mark: int) -> None:
        groups = self._state.tasks.by_state.groups
        tasks = [task for state in open_states(list(groups)) for task in groups[state].values()]
        for first in range(0, len(tasks), _AT_ONCE):
            self._state.settle_held(tasks[first : first + _AT_ONCE], answers, mark)
            await asyncio.sleep(0)


def _read(hostname: str, entries: Iterable[Any], *, running: bool) -> list[HeldTask]:
    found = (read_held(hostname, entry, running=running) for entry in entries)
    return [one for one in found if one is not None]


def _is_whole(reply: Mapping[str, Any]) -> bool:
    """Tell whether all lists are there, and none so long that its end may have been cut off."""
    lists = [reply.get(method) for method in TASK_LISTS]
    return all(isinstance(entries, list) and len(entries) < _MAX_LIST for entries in lists)


def _rated(registered: Any) -> Iterable[str]:
    entries = registered if isinstance(registered, list) else []
    matches = (_RATED.match(entry) for entry in entries if isinstance(entry, str))
    return [match["name"] for match in matches if match]
