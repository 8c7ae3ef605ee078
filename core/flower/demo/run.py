"""`celery flower --demo`: the demo's cluster and a Flower that watches it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from flower.demo.cluster import DemoCluster

if TYPE_CHECKING:
    from flower.plugins import Registry
    from flower_plugins import Settings

__all__ = ["DemoSettings", "run_demo"]


class DemoSettings:
    """The user's settings, except that nobody but this machine gets in unless they name an address."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loopback = not (settings.given("address") or settings.given("unix_socket"))

    def __getitem__(self, name: str) -> Any:
        return "127.0.0.1" if self._decides(name) else self._settings[name]

    def given(self, name: str) -> bool:
        return self._decides(name) or self._settings.given(name)

    def origin(self, name: str) -> str:
        return "--demo" if self._decides(name) else self._settings.origin(name)

    def _decides(self, name: str) -> bool:
        return self._loopback and name == "address"


def run_demo(settings: Settings, registry: Registry, quiet: bool) -> int:
    """Run the demo until Ctrl-C and return the exit code; nothing is left behind."""
    from flower.app import Flower  # only where a server is really started

    for name in [name for name in os.environ if name.startswith("CELERY")]:
        del os.environ[name]  # Celery reads them before its settings: a demo must never reach a real broker
    with DemoCluster() as cluster:
        if not quiet:
            click.echo(f"Started 3 workers and a shop's traffic in {cluster.folder}", err=True)
            click.echo("Press Ctrl-C to stop and remove all of it", err=True)
        return Flower(cluster.app(), DemoSettings(settings), registry, quiet=quiet).run()
