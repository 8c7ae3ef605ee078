"""What is published, what is refused before, and what a broker in this process makes of it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from celery import Celery

from flower.control.backend import ResultBackend
from flower.control.executor import Executor
from flower.control.publisher import Publisher
from flower_plugins import InvalidParameter, NotFound, TaskCall, Unavailable


@pytest.fixture
def app() -> Iterator[Celery]:
    made = Celery("shop", broker="memory://", backend="cache+memory://", set_as_current=False)
    made.conf.update(task_default_queue=f"q-{uuid.uuid4().hex}", task_send_sent_event=False)

    @made.task(name="shop.add", shared=False)  # type: ignore[untyped-decorator]
    def add(a: int, b: int) -> int:
        return a + b

    @made.task(name="shop.quiet", ignore_result=True, shared=False)  # type: ignore[untyped-decorator]
    def quiet(*args: Any, **kwargs: Any) -> None: ...

    yield made
    made.close()


def publish(app: Celery, call: TaskCall, *, registered: bool = False) -> str:
    async def main() -> str:
        executor = Executor()
        try:
            return await Publisher(app, executor, ResultBackend(app)).publish(call, registered=registered)
        finally:
            await executor.close()

    return asyncio.run(main())


def received(app: Celery, queue: str | None = None) -> list[Any]:
    """Take and return the messages in a queue."""
    messages: list[Any] = []
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        while (message := channel.basic_get(queue or app.conf.task_default_queue, no_ack=True)) is not None:
            messages.append(message)
    return messages


def test_a_task_is_published_with_its_arguments(app: Celery) -> None:
    task_id = publish(app, TaskCall("any.name", [1, "é"], {"k": None}))
    (message,) = received(app)
    args, kwargs, _ = message.decode()
    assert (message.headers["task"], message.headers["id"]) == ("any.name", task_id)
    assert (args, kwargs) == ([1, "é"], {"k": None})
    assert message.headers["ignore_result"] is False


def test_options_reach_the_message(app: Celery) -> None:
    eta = datetime(2040, 1, 1, tzinfo=timezone.utc)
    call = TaskCall(
        "any.name",
        task_id="mine",
        queue="special",
        eta=eta,
        expires=60,
        priority=4,
        headers={"tenant": "acme"},
        shadow="other",
        time_limit=5,
        soft_time_limit=3,
        compression="gzip",
        link=[TaskCall("shop.mail", ["x"], queue="mail", expires=eta, immutable=True)],
    )
    assert publish(app, call) == "mine"
    (message,) = received(app, "special")
    headers = message.headers
    assert (headers["id"], headers["eta"], headers["shadow"]) == ("mine", eta.isoformat(), "other")
    assert (headers["timelimit"], headers["tenant"], headers["expires"] is not None) == ([5, 3], "acme", True)
    assert message.properties["priority"] == 4
    (linked,) = message.decode()[2]["callbacks"]
    assert (linked["task"], linked["args"], linked["immutable"]) == ("shop.mail", ["x"], True)
    assert linked["options"] == {"queue": "mail", "expires": eta.isoformat()}


@pytest.mark.parametrize(
    ("call", "registered", "ignored"),
    [
        (TaskCall("shop.quiet"), True, True),
        (TaskCall("shop.quiet", ignore_result=False), True, False),
        (TaskCall("shop.add", [1, 2], ignore_result=True), True, True),
        (TaskCall("shop.add", [1, 2]), True, False),
    ],
)
def test_whether_a_result_is_kept_is_what_task_and_caller_say(
    app: Celery, call: TaskCall, registered: bool, ignored: bool
) -> None:
    publish(app, call, registered=registered)
    (message,) = received(app)
    assert message.headers["ignore_result"] is ignored


@pytest.mark.parametrize(
    "call",
    [
        TaskCall("shop.add"),
        TaskCall("shop.add", [1]),
        TaskCall("shop.add", [1, 2, 3]),
        TaskCall("shop.add", [1], {"c": 1}),
        TaskCall("shop.add", [1], {"a": 1, "b": 2}),
    ],
)
def test_arguments_that_do_not_fit_are_refused(app: Celery, call: TaskCall) -> None:
    with pytest.raises(InvalidParameter, match=r"^Invalid arguments of 'shop.add': "):
        publish(app, call, registered=True)
    assert received(app) == []
    publish(app, call, registered=False)
    assert len(received(app)) == 1


def test_a_task_that_the_app_does_not_have_is_not_found(app: Celery) -> None:
    with pytest.raises(NotFound):
        publish(app, TaskCall("nope"), registered=True)


@pytest.mark.parametrize(
    "options",
    [
        {"serializer": "pickle"},
        {"serializer": "yaml"},
        {"serializer": "nonsense"},
        {"compression": "rot13"},
        {"queue": "amq.x"},
        {"queue": "x" * 256},
        {"queue": "a\nb"},
        {"task_id": "\0"},
        {"exchange": "x" * 256},
        {"countdown": -1.0},
        {"countdown": float("nan")},
        {"expires": float("inf")},
        {"time_limit": 1e12},
        {"time_limit": 1.0, "soft_time_limit": 2.0},
        {"countdown": 1.0, "eta": datetime(2040, 1, 1, tzinfo=timezone.utc)},
        {"priority": 256},
        {"priority": -1},
        {"delivery_mode": 3},
        {"headers": {"task": "other"}},
        {"headers": {"id": "other"}},
        {"headers": {"stamped_headers": []}},
        {"link": [TaskCall("a", serializer="pickle")]},
        {"link": [TaskCall("a", link=[TaskCall("b")])]},
        {"link_error": [TaskCall("a")] * 21},
        {"args": [object()]},
        {"headers": {"x": object()}},
    ],
)
def test_what_cannot_be_sent_is_refused_and_not_published(app: Celery, options: dict[str, Any]) -> None:
    """S49, S61"""
    with pytest.raises(InvalidParameter):
        publish(app, TaskCall("any.name", **options))
    assert received(app) == []


def test_a_name_that_cannot_be_one_is_refused(app: Celery) -> None:
    for name in ("", "x" * 256, "a\nb"):
        with pytest.raises(InvalidParameter):
            publish(app, TaskCall(name))


def test_serializers_are_those_the_app_accepts_and_that_are_safe(app: Celery) -> None:
    """S49"""
    app.conf.accept_content = ["application/json", "pickle", "yaml"]
    publish(app, TaskCall("any.name", serializer="json"))
    with pytest.raises(InvalidParameter, match=r"expected one of json$"):
        publish(app, TaskCall("any.name", serializer="pickle"))


def test_a_queue_that_may_not_be_made_is_refused(app: Celery) -> None:
    app.conf.task_create_missing_queues = False
    with pytest.raises(InvalidParameter, match="Invalid queue"):
        publish(app, TaskCall("any.name", queue="unheard"))


def test_a_task_runs_nowhere_here_even_when_the_app_is_eager(app: Celery, recwarn: pytest.WarningsRecorder) -> None:
    app.conf.task_always_eager = True
    publish(app, TaskCall("shop.add", [1, 2]), registered=True)
    assert len(received(app)) == 1
    recwarn.clear()


def test_an_error_in_the_apps_own_code_is_told(app: Celery) -> None:
    def apply_async(*args: Any, **options: Any) -> Any:
        raise RuntimeError("tenant is missing")

    app.tasks["shop.add"].apply_async = apply_async
    with pytest.raises(InvalidParameter, match="tenant is missing"):
        publish(app, TaskCall("shop.add", [1, 2]), registered=True)


@pytest.mark.parametrize("broker", ["redis://:canary@127.0.0.1:1/0", "amqp://u:canary@127.0.0.1:1//"])
def test_a_broker_that_is_not_there_is_unavailable_soon(broker: str, caplog: pytest.LogCaptureFixture) -> None:
    """R20, S35"""
    app = Celery("shop", broker=broker, set_as_current=False)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="Broker or result backend unavailable"):
        publish(app, TaskCall("any.name"))
    assert time.monotonic() - begun < 5
    assert "canary" not in caplog.text


def test_a_task_that_could_not_be_sent_in_time_is_not_sent_later(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    """R19: whoever was told 503 may try again without running the task twice."""
    monkeypatch.setattr("flower.control.publisher._LATEST_START", -1.0)
    with pytest.raises(Unavailable):
        publish(app, TaskCall("any.name"))
    assert received(app) == []
