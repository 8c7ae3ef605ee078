"""E-mails to customers."""

from __future__ import annotations

import random
import smtplib
import time
from typing import Any

from celery.app.task import Task

__all__ = ["BOUNCING", "GREYLISTED", "remind_of_cart", "send_newsletter", "send_receipt"]

GREYLISTED = "ana@greylist.example"
BOUNCING = "nobody@bounce.example"


def send_receipt(task: Task, order: dict[str, Any]) -> None:
    """Thank the customer; a greylisting server takes the mail at the second attempt."""
    try:
        _deliver(order["customer"], f"Your order {order['order']}", task.request.retries)
    except smtplib.SMTPServerDisconnected as error:
        raise task.retry(exc=error, countdown=5) from error


def send_newsletter(campaign: str, recipient: str) -> None:
    """Send one copy of a newsletter."""
    _deliver(recipient, campaign)


def remind_of_cart(customer: str, items: int) -> None:
    """Remind a customer of a full basket; scheduled ahead, revoked when they buy."""
    _deliver(customer, f"{items} items are waiting for you")


def _deliver(recipient: str, subject: str, attempt: int = 0) -> None:
    time.sleep(random.uniform(0.05, 0.3))
    if recipient == GREYLISTED and attempt == 0:
        raise smtplib.SMTPServerDisconnected(f"450 4.2.0 <{recipient}>: greylisted, try again later")
    if recipient == BOUNCING:
        _bounce(recipient, subject)


def _bounce(recipient: str, subject: str) -> None:
    raise ValueError(f"550 5.1.1 <{recipient}>: no such user here (subject: {subject})")
