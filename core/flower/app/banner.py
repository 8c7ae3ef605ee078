"""What is said at start: where to find this Flower, what it watches, and what is not safe about it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pprint import pformat

from flower_plugins import Banner, Broker

__all__ = ["announce", "warn"]

log = logging.getLogger("flower")

_RULE = "!" * 78


def announce(urls: Sequence[str], unix_socket: str, prefix: str, broker: Broker, tasks: Sequence[str]) -> None:
    """Log the addresses really bound, the broker without its password, and the app's own tasks."""
    if unix_socket:
        log.info("Visit me via unix socket file: %s", unix_socket)
    for url in urls:
        log.info("Visit me at %s%s", url, f"{prefix}/" if prefix else "")
    log.info("Broker: %s", broker.safe_url)
    log.info("Registered tasks: \n%s", pformat(sorted(tasks)))


def warn(banners: Sequence[Banner]) -> None:
    """Log what is not safe, so that nobody overlooks it."""
    for banner in banners:
        log.warning("\n%s\n%s\n%s", _RULE, banner.text, _RULE)
