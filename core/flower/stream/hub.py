"""Tells live pages what changed, at a pace that a browser can follow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence

from flower_plugins import EventSink, TaskChange, WorkerChange

__all__ = ["Hub", "HubSink"]

_PER_SUBSCRIBER = 0.002
_OF_ITS_TASKS = frozenset(("worker-gone", "worker-back"))


class Hub:
    """Coalesces notifications per subscriber; satisfies `flower_plugins.Stream`.

    Topics are "tasks", "workers" and "task:<uuid>". Use it on the event loop only.
    """

    def __init__(self, interval: float = 0.5) -> None:
        """`interval` is the least number of seconds between two deliveries to one subscriber.

        It grows by 2 ms for each subscriber, because every delivery has a page ask for its news.
        """
        self._interval = interval
        self._listening = 0
        self._subscribers: dict[str, set[_Subscriber]] = {}

    @property
    def topics(self) -> frozenset[str]:
        """What somebody listens to now."""
        return frozenset(self._subscribers)

    async def subscribe(self, topics: Iterable[str]) -> AsyncIterator[frozenset[str]]:
        """Yield the topics that changed since the last yield; a first yield names all of them."""
        wanted = frozenset(topics)
        subscriber = _Subscriber()
        self._listening += 1
        for topic in wanted:
            self._subscribers.setdefault(topic, set()).add(subscriber)
        try:
            yield wanted
            while True:
                await asyncio.sleep(self._interval + self._listening * _PER_SUBSCRIBER)
                await subscriber.woken.wait()
                yield subscriber.take()
        finally:
            self._listening -= 1
            for topic in wanted:
                listeners = self._subscribers[topic]
                listeners.discard(subscriber)
                if not listeners:
                    del self._subscribers[topic]

    def notify(self, topic: str) -> None:
        """Mark a topic as changed."""
        for subscriber in self._subscribers.get(topic, ()):
            subscriber.changed.add(topic)
            subscriber.woken.set()


class _Subscriber:
    def __init__(self) -> None:
        self.changed: set[str] = set()
        self.woken = asyncio.Event()

    def take(self) -> frozenset[str]:
        changed, self.changed = frozenset(self.changed), set()
        self.woken.clear()
        return changed


class HubSink(EventSink):
    """Turns changes into notifications; costs nothing while nobody listens."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def on_changes(self, changes: Sequence[TaskChange | WorkerChange]) -> None:
        """Notify the topics that these changes concern."""
        listened = self._hub.topics
        if not listened:
            return
        single = any(topic.startswith("task:") for topic in listened)
        touched: set[str] = set()
        for change in changes:
            if isinstance(change, WorkerChange):
                touched.add("workers")
                if change.type in _OF_ITS_TASKS:
                    touched.update(topic for topic in listened if topic.startswith("task"))
            else:
                touched.add("tasks")
                if single:
                    touched.add(f"task:{change.task.uuid}")
        if "tasks" in touched:
            touched.add("workers")  # their counts of events move with tasks
        for topic in touched & listened:
            self._hub.notify(topic)
