"""The workflow a task belongs to, as a tree with states."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, pairwise

from msgspec import Struct

from flower_dashboard.formats import text
from flower_dashboard.states import Look, look
from flower_plugins import Host, Task

__all__ = ["Family", "Node", "family"]

_MOST = 200
_OF_ONE = 50
_DEEPEST = 8
_CLIMB = 50


class Node(Struct, frozen=True):
    """A task of the workflow; `state` is None when it is not in memory. `more` children are not shown."""

    uuid: str
    name: str
    state: Look | None
    depth: int
    current: bool
    more: int


class Family(Struct, frozen=True):
    """The tree from the top on, every task before its children; `cut` when it was too large to show whole."""

    nodes: Sequence[Node]
    cut: bool


def family(host: Host, task: Task) -> Family:
    """Return the tree that a task stands in, no nodes when it stands alone."""
    own = text(task.uuid)
    way = _way_down(host, task)
    after = dict(pairwise(way))
    nodes: list[Node] = []
    seen: set[str] = set()
    waiting = [(way[0], 0)]
    while waiting and len(nodes) < _MOST:
        uuid, depth = waiting.pop()
        if uuid in seen:
            continue
        seen.add(uuid)
        found = host.tasks.get(uuid)
        children = _children(found)
        shown = [each for each in islice(children, _OF_ONE) if each not in seen]
        # Of an ancestor that is not in memory, or has many children, the way to this task is shown all the same.
        if uuid in after and after[uuid] not in shown:
            shown.append(after[uuid])
        name, state = ("", None) if found is None else (text(found.name), look(found.state))
        nodes.append(Node(uuid, name, state, min(depth, _DEEPEST), uuid == own, max(len(children) - len(shown), 0)))
        waiting.extend((child, depth + 1) for child in reversed(shown))
    return Family(nodes if len(nodes) > 1 else [], bool(waiting))


def _way_down(host: Host, task: Task) -> list[str]:
    """Return the ids from the last ancestor that is known, or named, to this task."""
    way = [text(task.uuid)]
    at: Task | None = task
    while at is not None and len(way) < _CLIMB:
        parent = text(at.parent_id)
        if not parent or parent in way:
            break
        way.append(parent)
        at = host.tasks.get(parent)
    root = text(task.root_id)
    if at is None and root not in way and host.tasks.get(root) is not None:
        way.append(root)  # What stands between is not known.
    return way[::-1]


def _children(task: Task | None) -> list[str]:
    if task is None or not isinstance(task.children, (list, tuple)):
        return []
    return [text(child) for child in task.children if text(child)]
