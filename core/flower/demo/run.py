"""`celery flower --demo`: the demo's cluster and a Flower that watches it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from flower.demo.cluster import DemoCluster

if TYPE_CHECKING:
    from flower.plugins import Registry
    from flower.settings import EffectiveSettings

__all__ = ["run_demo"]


def run_demo(settings: EffectiveSettings, registry: Registry, quiet: bool) -> int:
    """Run the demo until Ctrl-C and return the exit code; nothing is left behind."""
    from flower.app import Flower, serve_until_stopped  # only where a server is really started

    for name in [name for name in os.environ if name.startswith("CELERY")]:
        del os.environ[name]  # Celery reads them before its settings: a demo must never reach a real broker
    with DemoCluster() as cluster:
        if not quiet:
            click.echo(f"Started 3 workers and a shop's traffic in {cluster.folder}", err=True)
            click.echo("Press Ctrl-C to stop and remove all of it", err=True)
        return serve_until_stopped(Flower(cluster.app(), settings, registry), quiet=quiet)
