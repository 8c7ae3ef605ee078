"""The demo's Celery app: a shop with orders, e-mails, images and reports, on any broker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from celery import Celery
from kombu.entity import Queue

from flower.demo.tasks import emails, images, orders, reports

__all__ = ["make_app"]

_TASKS: Mapping[Callable[..., Any], Mapping[str, Any]] = MappingProxyType(
    {
        orders.place: {},
        orders.reserve_stock: {},
        orders.charge_card: {"bind": True, "max_retries": 3},
        orders.ship: {},
        orders.sync_inventory: {},
        orders.import_feed: {"acks_late": True},
        emails.send_receipt: {"bind": True, "max_retries": 5, "ignore_result": True},
        emails.send_newsletter: {"rate_limit": "4/s", "ignore_result": True},
        emails.remind_of_cart: {"ignore_result": True},
        images.resize: {},
        images.contact_sheet: {},
        images.remove_background: {"bind": True},
        images.preview: {},
        reports.nightly: {"bind": True},
        reports.sales_summary: {},
        reports.export_customers: {"soft_time_limit": 12, "time_limit": 30},
    }
)
_AREAS = ("orders", "emails", "images", "reports")


def make_app(broker_url: str | None = None, result_backend: str | None = None, **conf: Any) -> Celery:
    """Return the shop's app; `conf` are Celery settings that come last.

    The environment variables CELERY_BROKER_URL and CELERY_RESULT_BACKEND win over the arguments, as
    in every Celery app.
    """
    app = Celery("shop", broker=broker_url, backend=result_backend, set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        beat_schedule=_beat_schedule(),
        broker_connection_retry_on_startup=True,
        enable_utc=True,
        event_serializer="json",
        result_expires=1800,
        result_extended=True,
        task_queues=[Queue(name) for name in ("celery", *_AREAS)],  # type: ignore[no-untyped-call]
        task_routes={f"{area}.*": {"queue": area} for area in _AREAS},
        task_send_sent_event=True,
        task_track_started=True,
        timezone="UTC",
        worker_pool_restarts=True,
        worker_send_task_events=True,
    )
    app.conf.update(conf)
    for function, options in _TASKS.items():
        area = function.__module__.rpartition(".")[2]
        app.task(function, name=f"{area}.{function.__name__}", shared=False, **options)
    return app


def _beat_schedule() -> dict[str, dict[str, Any]]:
    return {
        "inventory": {"task": "orders.sync_inventory", "schedule": 15.0, "kwargs": {"warehouse": "Rotterdam"}},
        "sales": {"task": "reports.sales_summary", "schedule": 30.0, "kwargs": {"period": "today"}},
        # Celery's own name: it replaces the daily clean-up, so that a demo left running stays small.
        "celery.backend_cleanup": {"task": "celery.backend_cleanup", "schedule": 600.0},
    }
