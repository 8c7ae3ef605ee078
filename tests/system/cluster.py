"""The Celery app of the system tests; broker and result backend come from Celery's own environment variables."""

from __future__ import annotations

import time
from typing import Any

from celery import Celery, Task

app = Celery("cluster")
app.conf.update(
    task_send_sent_event=True,
    worker_send_task_events=True,
    worker_pool_restarts=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
)


@app.task
def add(a: int, b: int) -> int:
    return a + b


@app.task
def nap(seconds: float) -> str:
    time.sleep(seconds)
    return f"slept {seconds}"


@app.task
def pay(amount: int, credit_card_number: str, seconds: float = 0.0) -> str:
    time.sleep(seconds)
    return f"paid {amount}"


@app.task
def fail(message: str) -> None:
    raise ValueError(message)


@app.task(bind=True, max_retries=2)
def flaky(self: Task[Any, Any]) -> str:
    if self.request.retries < 2:
        raise self.retry(exc=ConnectionError("gateway timeout"), countdown=0.1)
    return "third time lucky"


@app.task(bind=True)
def progress(self: Task[Any, Any], worker: str) -> str:
    """Send a custom event whose keys are as unfortunate as user code may choose them."""
    self.send_event("task-progress", done=3, total=10, worker=worker, __class__="x")
    time.sleep(30)
    return "done"
