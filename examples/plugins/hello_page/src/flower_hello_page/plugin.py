"""Entry point: a page at /hello, an entry in the navigation, and an option for the greeting."""

from __future__ import annotations

from collections.abc import Sequence

from flower_plugins import Host, NavItem, Option, Route, hookimpl
from flower_plugins.web import Handler

FLOWER_API_VERSION = 1


class HelloPage(Handler):
    """Says hello, and how much there is to watch."""

    def get(self) -> None:
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(greeting(self.host) + "\n")


def greeting(host: Host) -> str:
    """Return what the page says."""
    return f"{host.settings['hello_greeting']}! {len(host.tasks)} tasks on {len(host.workers.all())} workers."


@hookimpl
def flower_options() -> Sequence[Option]:
    return [Option("hello_greeting", str, "Hello", "What the page at /hello begins with")]


@hookimpl
def flower_routes() -> Sequence[Route]:
    return [Route("/hello", HelloPage, access="read", surface="page", name="hello")]


@hookimpl
def flower_nav_items() -> Sequence[NavItem]:
    return [NavItem("Hello", "/hello", order=900)]
