from __future__ import annotations

from typing import Any

import pytest
from celery import Celery
from celery.exceptions import Retry

from flower.demo.shop import make_app
from flower.demo.tasks import orders, payments, reports
from flower.demo.tasks.emails import GREYLISTED
from flower.demo.tasks.images import TRUNCATED
from flower.demo.tasks.orders import SOLD_OUT
from flower.demo.tasks.payments import DECLINED_CARD, SLOW_CARD

ORDER = {"order": "A-1", "customer": "mara@mail.example", "items": [], "total": "24.00 EUR"}


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Celery:
    for module in (orders, payments, reports):
        monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    return make_app("memory://", "cache+memory://")


def names(app: Celery) -> list[str]:
    return sorted(name for name in app.tasks if not name.startswith("celery."))


def test_every_task_goes_to_the_queue_of_its_area(app: Celery) -> None:
    queues = {name: app.amqp.router.route({}, name)["queue"].name for name in names(app)}
    assert queues == {name: name.split(".")[0] for name in names(app)}
    assert set(queues.values()) == {"orders", "emails", "images", "reports"}


def test_a_worker_without_options_consumes_every_queue(app: Celery) -> None:
    assert set(app.amqp.queues.consume_from) == {"celery", "orders", "emails", "images", "reports"}


def test_workers_and_clients_send_events(app: Celery) -> None:
    assert app.conf.worker_send_task_events
    assert app.conf.task_send_sent_event


def test_own_settings_come_last() -> None:
    assert make_app("memory://", result_expires=7).conf.result_expires == 7


def test_periodic_tasks_exist(app: Celery) -> None:
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)


def test_an_app_of_the_shop_does_not_become_everybodys(app: Celery) -> None:
    assert "orders.place" not in Celery("other", set_as_current=False).tasks


def test_an_order_adds_up(app: Celery) -> None:
    items = [{"sku": "POSTER-A2", "quantity": 2, "price": 18.5}, {"sku": "TOTE-CANVAS", "quantity": 1, "price": 12.0}]
    placed = app.tasks["orders.place"].apply(kwargs={"order": "A-1", "customer": "mara", "items": items})
    assert placed.get()["total"] == "49.00 EUR"


@pytest.mark.parametrize(
    ("task", "kwargs", "error", "function"),
    [
        ("orders.charge_card", {"order": ORDER, "card": DECLINED_CARD}, "CardDeclinedError", "_refuse"),
        (
            "orders.reserve_stock",
            {"order": {**ORDER, "items": [{"sku": SOLD_OUT, "quantity": 1}]}},
            "OutOfStockError",
            "_take",
        ),
        ("orders.sync_inventory", {"warehouse": "Antwerp"}, "KeyError", "_shelves"),
        ("images.resize", {"photo": TRUNCATED, "width": 320}, "BrokenImageError", "_read_markers"),
    ],
)
def test_bad_data_fails_with_a_traceback_of_the_shops_own(
    app: Celery, task: str, kwargs: dict[str, Any], error: str, function: str
) -> None:
    outcome = app.tasks[task].apply(kwargs=kwargs)
    assert (outcome.state, type(outcome.result).__name__) == ("FAILURE", error)
    assert f"in {function}" in outcome.traceback


@pytest.mark.parametrize(("attempt", "state"), [(0, "RETRY"), (1, "RETRY"), (2, "SUCCESS")])
def test_a_slow_payment_succeeds_at_the_third_attempt(app: Celery, attempt: int, state: str) -> None:
    assert payment_state(app, attempt) == state


@pytest.mark.parametrize(("attempt", "state"), [(0, "RETRY"), (1, "SUCCESS")])
def test_a_greylisted_mail_arrives_at_the_second_attempt(app: Celery, attempt: int, state: str) -> None:
    order = {**ORDER, "customer": GREYLISTED}
    assert outcome(app, "emails.send_receipt", attempt, order=order) == state


def payment_state(app: Celery, attempt: int) -> str:
    return outcome(app, "orders.charge_card", attempt, order=ORDER, card=SLOW_CARD)


def outcome(app: Celery, name: str, attempt: int, **kwargs: Any) -> str:
    """Run one attempt as a worker would; its own retry raises instead of publishing."""
    task = app.tasks[name]
    task.push_request(retries=attempt, called_directly=False, is_eager=True, args=(), kwargs=kwargs)
    try:
        task.run(**kwargs)
    except Retry:
        return "RETRY"
    finally:
        task.pop_request()
    return "SUCCESS"
