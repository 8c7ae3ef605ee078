"""Orders, from the basket to the parcel."""

from __future__ import annotations

import random
import time
from typing import Any

from celery.app.task import Task
from celery.exceptions import Reject

from flower.demo.tasks import payments

__all__ = ["SOLD_OUT", "charge_card", "import_feed", "place", "reserve_stock", "ship", "sync_inventory"]

SOLD_OUT = "MUG-ENAMEL"

_SHELVES = {"Rotterdam": {"TEE-BLACK-M": 140, "POSTER-A2": 58, SOLD_OUT: 0}}


class OutOfStockError(Exception):
    """Somebody else bought the last one."""


def place(order: str, customer: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    """Write the order down and return what the next steps need."""
    time.sleep(random.uniform(0.02, 0.15))
    total = sum(item["quantity"] * item["price"] for item in items)
    return {"order": order, "customer": customer, "items": items, "total": f"{total:.2f} EUR"}


def reserve_stock(order: dict[str, Any], warehouse: str = "Rotterdam") -> dict[str, Any]:
    """Take the items from the shelf; raise OutOfStockError when one is gone."""
    for item in order["items"]:
        time.sleep(random.uniform(0.02, 0.1))
        _take(item["sku"], item["quantity"])
    return {**order, "warehouse": warehouse}


def charge_card(task: Task, order: dict[str, Any], card: str) -> dict[str, Any]:
    """Collect the money, trying again when the provider is slow."""
    try:
        payment = payments.charge(card, order["total"], task.request.retries)
    except payments.GatewayTimeoutError as error:
        raise task.retry(exc=error, countdown=2 * 2**task.request.retries) from error
    return {**order, "payment": payment}


def ship(order: dict[str, Any], carrier: str) -> dict[str, str]:
    """Hand the parcel over and return its tracking number."""
    time.sleep(random.uniform(0.1, 0.5))
    return {"order": order["order"], "carrier": carrier, "tracking": f"{random.getrandbits(40):013d}"}


def sync_inventory(warehouse: str) -> dict[str, int]:
    """Count the shelves of a warehouse; beat asks for it every few seconds."""
    time.sleep(random.uniform(0.2, 0.8))
    return dict(_shelves(warehouse))


def import_feed(partner: str, rows: list[str]) -> int:
    """Read a partner's price list; one that is cut short is put aside for a human."""
    time.sleep(random.uniform(0.1, 0.4))
    if rows[-1] != "END":
        raise Reject(f"feed of {partner} ends after {len(rows)} rows", requeue=False)
    return len(rows) - 1


def _take(sku: str, quantity: int) -> None:
    if sku == SOLD_OUT:
        raise OutOfStockError(f"{quantity} x {sku} wanted, 0 left")


def _shelves(warehouse: str) -> dict[str, int]:
    return _SHELVES[warehouse]
