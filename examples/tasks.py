"""The smallest app to try Flower with: `cd examples; celery -A tasks worker -l INFO -E`."""

from __future__ import annotations

import time

from celery import Celery
from celery.app.task import Task

app = Celery("tasks")
app.config_from_object(f"{__package__}.celeryconfig" if __package__ else "celeryconfig")


@app.task(name="tasks.add")
def add(x: float, y: float) -> float:
    """Return the sum."""
    return x + y


@app.task(name="tasks.echo")
def echo(message: str) -> str:
    """Return the message."""
    return message


@app.task(name="tasks.error")
def error(message: str = "an error on purpose") -> None:
    """Fail."""
    raise RuntimeError(message)


@app.task(name="tasks.retry", bind=True, max_retries=3)
def retry(task: Task, countdown: float = 2) -> None:
    """Fail until there are no tries left."""
    raise task.retry(countdown=countdown, exc=ConnectionError("nobody answers, on purpose"))


@app.task(name="tasks.sleep")
def sleep(seconds: float) -> float:
    """Take that long."""
    time.sleep(seconds)
    return seconds
