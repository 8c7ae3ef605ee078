from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from celery import Celery

from flower.demo.shop import make_app
from flower.demo.traffic import Traffic, main


class Clock:
    """Counts waiting instead of waiting."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        self.waits: list[float] = []

    def __call__(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return len(self.waits) == self.rounds


@pytest.fixture
def published(app: Celery) -> Counter[str]:
    names: Counter[str] = Counter()
    send = app.amqp.send_task_message

    def record(producer: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        names[name] += 1
        return send(producer, name, *args, **kwargs)

    app.amqp.send_task_message = record
    return names


@pytest.fixture
def app() -> Celery:
    return make_app("memory://", "cache+memory://", beat_schedule={})


def test_the_first_round_has_one_of_everything(app: Celery, published: Counter[str]) -> None:
    Traffic(app, random.Random(1)).run(Clock(14))
    asked = {"orders.place", "orders.import_feed", "orders.sync_inventory", "emails.remind_of_cart"}
    asked |= {"emails.send_newsletter", "images.resize", "images.preview", "images.remove_background"}
    assert asked | {"reports.nightly", "reports.export_customers"} == set(published)


def test_the_day_is_lively_but_never_rushed(app: Celery) -> None:
    clock = Clock(500)
    Traffic(app, random.Random(1)).run(clock)
    mean = sum(clock.waits) / len(clock.waits)
    assert 0.6 < mean < 1.4
    assert max(clock.waits) < 5


def test_an_unknown_app_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-A", "examples.no_such_shop"]) == 2
    assert "examples.no_such_shop" in capsys.readouterr().err


def test_a_broker_out_of_reach_is_named_without_its_password(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app("amqp://shop:secret@127.0.0.1:1//", beat_schedule={}, broker_transport_options={"max_retries": 1})
    monkeypatch.setattr("flower.demo.traffic.find_app", lambda name: app)
    assert main(["-A", "shop"]) == 1
    error = capsys.readouterr().err
    assert "127.0.0.1:1" in error
    assert "secret" not in error
