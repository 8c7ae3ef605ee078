from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from flower_hello_page import plugin


def test_the_page_counts_tasks_and_workers() -> None:
    workers = SimpleNamespace(all=lambda: ["w1@host", "w2@host"])
    host: Any = SimpleNamespace(settings={"hello_greeting": "Moin"}, tasks=range(3), workers=workers)
    assert plugin.greeting(host) == "Moin! 3 tasks on 2 workers."


def test_the_page_needs_a_reader_and_the_navigation_leads_to_it() -> None:
    (route,) = plugin.flower_routes()
    (item,) = plugin.flower_nav_items()
    assert (route.pattern, route.access) == (item.path, "read")
