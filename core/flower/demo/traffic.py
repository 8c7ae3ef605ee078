"""A shop's day in fast motion: publishes the demo's tasks, `python -m flower.demo.traffic -A module`."""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from celery import Celery, chain, chord, group
from celery.app.utils import find_app
from celery.beat import Scheduler, Service
from celery.canvas import Signature
from kombu.exceptions import OperationalError

from flower.demo.tasks.emails import BOUNCING, GREYLISTED
from flower.demo.tasks.images import TRUNCATED
from flower.demo.tasks.orders import SOLD_OUT
from flower.demo.tasks.payments import DECLINED_CARD, SLOW_CARD

__all__ = ["Traffic", "main"]

_CUSTOMERS = ("mara@mail.example", "li.wei@mail.example", "jonas@mail.example", "ife@mail.example", "noor@mail.example")
_PRODUCTS = (("TEE-BLACK-M", 24.0), ("POSTER-A2", 18.5), ("TOTE-CANVAS", 12.0), ("SOCKS-WOOL", 9.9))
_PRICES = tuple(f"{sku};{price:.2f}" for sku, price in _PRODUCTS)
_CARDS = ("**** 4242", "**** 4444", "**** 1117", "**** 9424")
_CARRIERS = ("DHL", "PostNL", "UPS")
_REGIONS = ("Benelux", "DACH", "France", "Iberia", "Italy", "Nordics", "Poland", "UK", "US East", "US West")

_MEAN_GAP = 0.95
"""Seconds between two customers, on average; each of them makes about five tasks."""
_OPENING_GAP = 0.4
"""Seconds between two customers while the doors open, with one of each kind."""
_WAVE = 120.0
"""Seconds from one busy time to the next."""


class Traffic:
    """Publishes what the shop's customers and staff cause, and the app's periodic tasks."""

    def __init__(self, app: Celery, chance: random.Random | None = None) -> None:
        self._app = app
        self._chance = chance or random.Random()
        self._orders = self._chance.randrange(10_000, 60_000)

    def run(self, wait: Callable[[float], bool]) -> None:
        """Publish until `wait(seconds)` answers true. Starts with one of everything."""
        beat = Service(self._app, scheduler_cls=Scheduler)
        threading.Thread(target=beat.start, name="beat", daemon=True).start()
        for happening, seconds in self._day():
            happening()
            if wait(seconds):
                return

    def order(self) -> None:
        """A customer buys: a chain of five tasks, the last with a countdown."""
        items = [
            {"sku": sku, "quantity": self._chance.randint(1, 3), "price": price}
            for sku, price in self._chance.sample(_PRODUCTS, k=self._chance.randint(1, 3))
        ]
        self._place(self._chance.choice(_CUSTOMERS), items, self._chance.choice(_CARDS))

    def order_with_slow_payment(self) -> None:
        """A customer whose card needs three attempts."""
        self._place(GREYLISTED, [{"sku": "POSTER-A2", "quantity": 1, "price": 18.5}], SLOW_CARD)

    def order_with_declined_card(self) -> None:
        """A customer without money."""
        self._place("kit@mail.example", [{"sku": "TOTE-CANVAS", "quantity": 9, "price": 12.0}], DECLINED_CARD)

    def order_of_the_last_mug(self) -> None:
        """A customer who is too late."""
        self._place("uma@mail.example", [{"sku": SOLD_OUT, "quantity": 2, "price": 14.0}], "**** 4242")

    def photo(self) -> None:
        """Staff upload a photo: a chord of three copies and a contact sheet."""
        self._upload(f"IMG_{self._chance.randrange(1000, 9999)}.jpg")

    def broken_photo(self) -> None:
        """Staff upload half a photo: every copy fails, and with them the chord."""
        self._upload(TRUNCATED)

    def cutout(self) -> None:
        """Staff want a photo without background: ten seconds with progress."""
        photo = f"IMG_{self._chance.randrange(1000, 9999)}.jpg"
        self._task("images.remove_background", photo=photo, tiles=self._chance.randint(6, 14)).apply_async()

    def late_preview(self) -> None:
        """Somebody asked for a preview and left: it expires before its time comes."""
        self._task("images.preview", photo="IMG_2718.jpg").apply_async(countdown=3, expires=2)

    def newsletter(self) -> None:
        """Marketing writes to a group of customers."""
        recipients = [*self._chance.sample(_CUSTOMERS, k=4), *([BOUNCING] if self._chance.random() < 0.5 else [])]
        group(
            self._task("emails.send_newsletter", campaign="Spring is here", recipient=recipient)
            for recipient in recipients
        ).apply_async()

    def abandoned_basket(self) -> None:
        """A customer leaves: a reminder with an ETA, revoked when they come back."""
        eta = datetime.now(timezone.utc) + timedelta(seconds=self._chance.uniform(10, 60))
        reminder = self._task(
            "emails.remind_of_cart", customer=self._chance.choice(_CUSTOMERS), items=self._chance.randint(1, 6)
        ).apply_async(eta=eta)
        if self._chance.random() < 0.5:
            reminder.revoke()

    def price_list(self) -> None:
        """A partner sends prices."""
        self._import([*_PRICES, "END"])

    def broken_price_list(self) -> None:
        """A partner sends a list that is cut short: it is rejected."""
        self._import(_PRICES)

    def nightly_report(self) -> None:
        """The books of yesterday: 20 to 60 seconds."""
        day = (datetime.now(timezone.utc) - timedelta(days=1)).date().isoformat()
        regions = self._chance.sample(_REGIONS, k=self._chance.randint(4, 10))
        self._task("reports.nightly", day=day, regions=regions).apply_async()

    def export(self) -> None:
        """Staff export customers; the largest country does not finish within its time limit."""
        country, rows = self._chance.choice((("NL", 8_000), ("BE", 5_000), ("PT", 11_000), ("DE", 60_000)))
        self._task("reports.export_customers", country=country, rows=rows).apply_async()

    def missing_warehouse(self) -> None:
        """Somebody counts a warehouse that was closed last year."""
        self._task("orders.sync_inventory", warehouse="Antwerp").apply_async()

    def _day(self) -> Iterator[tuple[Callable[[], None], float]]:
        shares = self._shares()
        for happening in shares:
            yield happening, _OPENING_GAP
        elapsed = 0.0
        while True:
            gap = self._gap(elapsed)
            elapsed += gap
            yield self._chance.choices(list(shares), weights=list(shares.values()))[0], gap

    def _shares(self) -> Mapping[Callable[[], None], float]:
        return {
            self.order_with_slow_payment: 7,
            self.order: 40,
            self.nightly_report: 1.5,
            self.order_of_the_last_mug: 3,
            self.photo: 14,
            self.late_preview: 3,
            self.cutout: 6,
            self.missing_warehouse: 1.5,
            self.abandoned_basket: 8,
            self.broken_price_list: 1.5,
            self.price_list: 3,
            self.order_with_declined_card: 3,
            self.newsletter: 8,
            self.export: 2.5,
            self.broken_photo: 1.5,
        }

    def _gap(self, elapsed: float) -> float:
        rush = 1 + 0.6 * math.sin(2 * math.pi * elapsed / _WAVE)
        return min(self._chance.expovariate(rush / _MEAN_GAP), 4 * _MEAN_GAP)

    def _place(self, customer: str, items: list[dict[str, Any]], card: str) -> None:
        self._orders += 1
        chain(
            self._task("orders.place", order=f"A-{self._orders}", customer=customer, items=items),
            self._task("orders.reserve_stock"),
            self._task("orders.charge_card", card=card),
            group(
                self._task("emails.send_receipt"),
                self._task("orders.ship", carrier=self._chance.choice(_CARRIERS)).set(
                    countdown=self._chance.randint(8, 30)
                ),
            ),
        ).apply_async()

    def _upload(self, photo: str) -> None:
        copies = [self._task("images.resize", photo=photo, width=width) for width in (320, 800, 1600)]
        chord(copies, self._task("images.contact_sheet", photo=photo)).apply_async()

    def _import(self, rows: Sequence[str]) -> None:
        self._task("orders.import_feed", partner="Nordlys AS", rows=list(rows)).apply_async()

    def _task(self, name: str, **kwargs: Any) -> Signature:
        return self._app.signature(name, kwargs=kwargs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Drive the shop's workers on a real broker until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m flower.demo.traffic", description=__doc__)
    parser.add_argument("-A", "--app", required=True, help="module with the shop's app, as examples.shop_redis")
    name = parser.parse_args(arguments).app
    try:
        app = find_app(name)
    except (ImportError, AttributeError) as error:
        sys.stderr.write(f"There is no Celery app {name}: {error}\n")
        return 2
    try:
        Traffic(app).run(_sleep)
    except KeyboardInterrupt:
        return 0
    except OperationalError as error:
        sys.stderr.write(f"The broker at {app.connection_for_write().as_uri()} is out of reach: {error}\n")
        return 1
    return 0


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return False


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    sys.exit(main())
