"""Somebody who looks at everything all the time: pages, lists, searches never asked before, streams left at once."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import quote

from tests.bench.churn import TASKS_PER_WORKER, churned_worker
from tests.bench.probe import Client
from tests.bench.traffic import task_uuid

__all__ = ["Visitor"]

_PAUSE = 0.15
_EARLY = 1200
_SORTS = ("name", "state", "received", "started")
_STREAM_SECONDS = 1.0


class Visitor(threading.Thread):
    """Asks in turn for what `_paths` yields. `tasks` tells how many tasks have begun."""

    def __init__(self, port: int, tasks: Callable[[], int]) -> None:
        super().__init__(name="visitor", daemon=True)
        self.statuses: Counter[int] = Counter()
        """How often each status was the answer."""
        self.failed: list[str] = []
        """Requests that were not answered, or with another status than 200 and 404."""
        self.streams = 0
        self._port = port
        self._tasks = tasks
        self._ended = threading.Event()

    def run(self) -> None:
        """Go on until `end` is called."""
        client = Client(self._port, 30.0)
        for number, path in enumerate(self._paths()):
            if self._ended.wait(_PAUSE if number > _EARLY else 0):
                break
            try:
                status = client.get(path).status
                if number % 10 == 0 and number > _EARLY:
                    self._open_stream(number)
                if number % 50 == 0:
                    client.close()
            except (OSError, EOFError) as error:
                client.close()
                self.failed.append(f"{path}: {error!r}")
                continue
            self.statuses[status] += 1
            if status not in (200, 404):
                self.failed.append(f"{path}: {status}")
        client.close()

    def end(self) -> None:
        """Ask for nothing more, and return when that is so."""
        self._ended.set()
        self.join(60)

    def _paths(self) -> Iterator[str]:
        # First so many searches that whatever remembers them is full.
        for number in range(_EARLY):
            yield f"/api/tasks?limit=1&search=early{number}"
        for turn in itertools.count():
            task = task_uuid(max(0, self._tasks() - 200 - turn % 100))
            worker = quote(churned_worker(max(0, self._tasks() // TASKS_PER_WORKER - turn % 60)), safe="")
            sort = _SORTS[turn % len(_SORTS)]
            yield from ("/", "/tasks", f"/task/{task}", f"/worker/{worker}", "/metrics", "/plugins")
            yield from (f"/tasks?search=customer{turn}@example", f"/api/tasks?limit=50&search=order-{turn}")
            yield f"/api/tasks?limit=20&sort_by=-{sort}&search=traceback:gateway{turn}%20NOT%20x{turn}"
            yield from (f"/api/tasks?limit=100&sort_by={sort}", f"/api/tasks?limit=50&workername={worker}")
            yield from (f"/api/tasks?limit=50&taskname=churned.job{turn}.run", f"/api/tasks?limit=9&state=PHASE{turn}")
            yield from (f"/api/task/info/{task}", f"/api/task/info/nobody-{turn}", f"/no-such-page-{turn}")
            yield from ("/workers?json=1", "/api/workers", f"/api/workers?refresh=1&workername={worker}")
            yield from (f"/api/workers?refresh=1&workername=nobody{turn}", "/api/task/types", "/api/queues/length")
            yield f"/tasks/datatable?draw={turn}&start=0&length=15&order[0][column]=0&search[value]=note{turn}"

    def _open_stream(self, number: int) -> None:
        """Subscribe, read a little or nothing, and hang up without a word."""
        topics = f"tasks,workers,task:{task_uuid(number)},worker:nobody{number}"
        with socket.create_connection(("127.0.0.1", self._port), 10.0) as stream:
            stream.sendall(f"GET /stream?topics={topics} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n\r\n".encode())
            if number % 20 and b" 200 " not in stream.recv(1 << 16)[:20]:
                self.failed.append("/stream: refused")
            time.sleep(number % 3 * _STREAM_SECONDS / 3)
        self.streams += 1
