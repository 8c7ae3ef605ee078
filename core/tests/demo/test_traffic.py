from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from celery import Celery

from flower.demo.shop import make_app
from flower.demo.tasks.images import TRUNCATED
from flower.demo.tasks.orders import SOLD_OUT
from flower.demo.tasks.payments import DECLINED_CARD, SLOW_CARD
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
    Traffic(app, random.Random(1)).run(Clock(15))
    asked = {"orders.place", "orders.import_feed", "orders.sync_inventory", "emails.remind_of_cart"}
    asked |= {"emails.send_newsletter", "images.resize", "images.preview", "images.remove_background"}
    assert asked | {"reports.nightly", "reports.export_customers"} == set(published)


def test_the_first_round_has_every_kind_of_ending(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    """An end that only chance brings about would make a demo that shows it some days only."""
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(app.amqp, "send_task_message", lambda *args, **kwargs: None)
    signature = app.signature

    def record(name: str, kwargs: dict[str, Any]) -> Any:
        asked.append({"task": name, **kwargs})
        return signature(name, kwargs=kwargs)

    monkeypatch.setattr(app, "signature", record)
    Traffic(app, random.Random(1)).run(Clock(15))
    feeds = [call["rows"] for call in asked if call["task"] == "orders.import_feed"]
    assert {rows[-1] == "END" for rows in feeds} == {True, False}
    assert {DECLINED_CARD, SLOW_CARD} < {call["card"] for call in asked if "card" in call}
    assert TRUNCATED in {call["photo"] for call in asked if "photo" in call}
    orders = [call["items"] for call in asked if call["task"] == "orders.place"]
    assert SOLD_OUT in {item["sku"] for items in orders for item in items}


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
