"""The result backend: what it is told is shown, nothing that it says is executed, and no call lasts."""

from __future__ import annotations

import json
import pickle
import signal
import subprocess
import threading
import time
import uuid
from typing import Any

import pytest
from celery import Celery
from celery.backends.base import BaseBackend
from kombu.messaging import Producer

from flower.control.backend import ResultBackend
from flower_plugins import TaskResult, Unavailable

# Celery stores results with a call that redis-py has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")


@pytest.fixture
def app(redis_url: str) -> Any:
    made = Celery("shop", broker=redis_url, backend=redis_url, set_as_current=False)
    yield made
    made.close()


@pytest.fixture
def store(app: Celery) -> Any:
    """Return what writes a result as a worker does, and drops it after the test."""
    written = []

    def write(result: Any, state: str = "SUCCESS", traceback: str | None = None) -> str:
        written.append(uuid.uuid4().hex)
        app.backend.store_result(written[-1], result, state, traceback=traceback)
        return written[-1]

    yield write
    for each in written:
        app.backend.forget(each)
    app.backend.client.connection_pool.disconnect()


def read(app: Celery, task_id: str) -> TaskResult:
    backend = ResultBackend(app)
    try:
        found = backend.fetch([task_id])[task_id]
    finally:
        backend.close()
    assert isinstance(found, TaskResult)
    return found


@pytest.mark.parametrize("value", [3, None, "a", [1, {"b": None}], True, 1.5])
def test_a_result_is_what_the_worker_stored(app: Celery, store: Any, value: Any) -> None:
    task_id = store(value)
    assert read(app, task_id) == TaskResult(task_id, "SUCCESS", value)


def test_an_exception_is_a_text_and_is_never_made(app: Celery, store: Any) -> None:
    task_id = store(ValueError("no", 5), "FAILURE", "Traceback…")
    assert read(app, task_id) == TaskResult(task_id, "FAILURE", "ValueError('no', 5)", "Traceback…")
    evil = store({"exc_type": "system", "exc_message": ["touch x"], "exc_module": "os"}, "FAILURE")
    assert read(app, evil).result == "system('touch x')"


@pytest.mark.parametrize("state", ["STARTED", "RETRY", "PROGRESS"])
def test_a_task_that_is_not_ready_has_no_result(app: Celery, store: Any, state: str) -> None:
    task_id = store({"exc_type": "E", "exc_message": [], "exc_module": "m"}, state)
    assert read(app, task_id) == TaskResult(task_id, state)


def test_what_is_no_json_is_shown_as_its_repr(app: Celery, store: Any) -> None:
    value = uuid.uuid4()
    assert read(app, store(value)).result == repr(value)


def test_what_is_nested_beyond_reason_is_shown_as_text(app: Celery, store: Any) -> None:
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    assert read(app, store(deep)).result == json.dumps(deep)
    assert read(app, store({"a": deep})).result == json.dumps({"a": deep})
    assert read(app, store("[" * 1000)).result == "[" * 1000


def test_an_unknown_task_is_pending_and_many_are_read_at_once(app: Celery, store: Any) -> None:
    known = store(1)
    backend = ResultBackend(app)
    assert backend.fetch([known, "nobody"]) == {
        known: TaskResult(known, "SUCCESS", 1),
        "nobody": TaskResult("nobody", "PENDING"),
    }
    backend.close()


def test_a_pickle_is_not_read_and_hides_no_other_result(app: Celery, store: Any) -> None:
    """S40"""
    good = store(1)
    app.conf.update(accept_content=["json", "pickle"])
    pickled = uuid.uuid4().hex
    app.backend.set(app.backend.get_key_for_task(pickled), pickle.dumps({"status": "SUCCESS", "result": "x"}))
    backend = ResultBackend(app)
    found = backend.fetch([pickled, good])
    backend.close()
    app.backend.forget(pickled)
    assert isinstance(found[pickled], Unavailable)
    assert "not safe to read" in found[pickled].message
    assert found[good] == TaskResult(good, "SUCCESS", 1)


def test_a_row_that_is_a_pickle_is_not_read(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    """S40"""

    class Rows(BaseBackend):
        """Reads as Celery's database backend does, which needs SQLAlchemy."""

        def _decode_stored_result(self, payload: bytes) -> Any:
            return "unpickled"

        def _get_task_meta_for(self, task_id: str) -> dict[str, Any]:
            payload = b'"text"' if task_id == "good" else pickle.dumps("x")
            return {"status": "SUCCESS", "result": self._decode_stored_result(payload)}

    monkeypatch.setattr("celery.app.backends.by_url", lambda *_: (Rows, ""))
    found = ResultBackend(app).fetch(["good", "evil"])
    assert found["good"] == TaskResult("good", "SUCCESS", "text")
    assert isinstance(found["evil"], Unavailable)


def test_an_abortion_is_stored(app: Celery, store: Any) -> None:
    task_id = store(None, "STARTED")
    backend = ResultBackend(app)
    backend.abort(task_id)
    backend.close()
    assert json.loads(app.backend.client.get(f"celery-task-meta-{task_id}"))["status"] == "ABORTED"


@pytest.mark.parametrize("url", [None, "", "disabled://", "disabled"])
def test_there_may_be_no_backend(url: str | None) -> None:
    app = Celery("shop", broker="memory://", backend=url, set_as_current=False)
    backend = ResultBackend(app)
    assert not backend.configured
    assert backend.declare_replies(None) is None
    for act in (backend.fetch, backend.abort):
        with pytest.raises(Unavailable, match="No result backend is configured"):
            act("a")  # type: ignore[operator]


@pytest.mark.parametrize("url", ["redis://:canary@127.0.0.1:1/0", "nonsense://x", "redis://127.0.0.1:6379/abc"])
def test_a_backend_that_cannot_be_used_is_unavailable_soon(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """R20, S35"""
    app = Celery("shop", broker="memory://", backend=url, set_as_current=False)
    backend = ResultBackend(app)
    begun = time.monotonic()
    for act in (lambda: backend.fetch(["a"]), lambda: backend.abort("a")):
        with pytest.raises(Unavailable):
            act()
    assert backend.declare_replies(None) is None
    assert time.monotonic() - begun < 4
    assert "canary" not in caplog.text


def test_a_backend_that_hangs_is_unavailable_and_serves_again(
    private_redis: tuple[str, subprocess.Popen[bytes]],
) -> None:
    """R19"""
    url, process = private_redis
    backend = ResultBackend(Celery("shop", broker=url, backend=url, set_as_current=False))
    assert backend.fetch(["a"])["a"].state == "PENDING"
    process.send_signal(signal.SIGSTOP)
    try:
        for act in (lambda: backend.fetch(["a"]), lambda: backend.abort("a")):
            begun = time.monotonic()
            with pytest.raises(Unavailable):
                act()
            assert time.monotonic() - begun < 4
    finally:
        process.send_signal(signal.SIGCONT)
    begun = time.monotonic()
    assert backend.fetch(["a"])["a"].state in ("PENDING", "ABORTED")
    assert time.monotonic() - begun < 2
    backend.close()


def test_calls_that_hang_are_left_behind_until_there_are_too_many() -> None:
    app = Celery("shop", broker="memory://", backend="cache+memory://", set_as_current=False)
    backend = ResultBackend(app)
    release = threading.Event()
    threads = []
    for _ in range(4):
        line = backend._current()
        line.backend.get_task_meta = lambda *args, **options: release.wait(10) and {"status": "PENDING"}
        threads.append(threading.Thread(target=backend.fetch, args=(["a"],)))
        threads[-1].start()
        deadline = time.monotonic() + 5
        while not line.busy.locked():
            assert time.monotonic() < deadline
            time.sleep(0.001)
        backend.abandon()
    with pytest.raises(Unavailable):
        backend.fetch(["a"])
    release.set()
    for thread in threads:
        thread.join(5)
    assert backend.fetch(["a"])["a"].state == "PENDING"


def test_results_sent_to_a_queue_are_kept_and_the_queue_is_taken_away(rabbitmq_url: str) -> None:
    """Celery's rpc backend."""
    app = Celery("shop", broker=rabbitmq_url, backend="rpc://", set_as_current=False)
    backend = ResultBackend(app)
    with app.connection_for_write() as connection:
        channel = connection.default_channel
        queue = backend.declare_replies(channel)
        assert queue

        def send(task_id: str, **meta: Any) -> None:
            Producer(channel).publish({"task_id": task_id, **meta}, routing_key=queue, correlation_id=task_id)

        assert backend.fetch(["a"])["a"].state == "PENDING"
        send("a", status="STARTED", result=None)
        send("a", status="SUCCESS", result=3)
        send("b", status="FAILURE", result={"exc_type": "E", "exc_message": ["no"], "exc_module": "m"}, traceback="T")
        Producer(channel).publish("nonsense", routing_key=queue)
        Producer(channel).publish({"task_id": "c", "status": "SUCCESS"}, routing_key=queue, serializer="pickle")
        deadline = time.monotonic() + 5
        while not backend.fetch(["b"])["b"].ready:
            assert time.monotonic() < deadline
        assert backend.fetch(["b", "a", "c"]) == {
            "a": TaskResult("a", "SUCCESS", 3),
            "b": TaskResult("b", "FAILURE", "E('no')", "T"),
            "c": TaskResult("c", "PENDING"),
        }
        with pytest.raises(Unavailable, match="no place"):
            backend.abort("a")
        backend.close()
        with pytest.raises(connection.channel_errors):
            channel.queue_declare(queue, passive=True)
    app.close()
