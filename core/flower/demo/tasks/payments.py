"""The shop's client for its payment provider; like real ones, it has card numbers that misbehave."""

from __future__ import annotations

import random
import time

__all__ = ["DECLINED_CARD", "SLOW_CARD", "CardDeclinedError", "GatewayTimeoutError", "charge"]

DECLINED_CARD = "**** 0002"
SLOW_CARD = "**** 0119"


class PaymentError(Exception):
    """Root of what the provider can answer."""


class CardDeclinedError(PaymentError):
    """The bank said no; trying again is no use."""


class GatewayTimeoutError(PaymentError):
    """The provider did not answer in time; trying again may help."""


def charge(card: str, amount: str, attempt: int) -> str:
    """Return the payment's reference. The slow card answers at the third attempt."""
    try:
        return _post("/v1/charges", card, amount, attempt)
    except TimeoutError as error:
        raise GatewayTimeoutError(f"no answer for {amount} after 800 ms (attempt {attempt + 1})") from error


def _post(path: str, card: str, amount: str, attempt: int) -> str:
    time.sleep(random.uniform(0.1, 0.6))
    if card == SLOW_CARD and attempt < 2:
        raise TimeoutError(f"POST https://payments.example{path}: read timed out")
    if card == DECLINED_CARD:
        _refuse("insufficient_funds", amount)
    return f"ch_{random.getrandbits(48):012x}"


def _refuse(code: str, amount: str) -> None:
    raise CardDeclinedError(f"{code}: the bank refused {amount}")
