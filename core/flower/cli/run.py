"""The phases of a start: which plugins, which settings, which Celery app, logging, and then the server."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import celery
import click

from flower import __version__
from flower.cli import help as help_page
from flower.cli import logs, report
from flower.cli.celery_app import configured
from flower.settings import Catalogue, Early, EffectiveSettings, load, peek
from flower_plugins import Assets, ConfigurationError, Option, PluginReport

__all__ = ["Plugins", "discover", "run", "serve"]

log = logging.getLogger(__name__)


class Plugins(Protocol):
    """What the command line needs of the plugin registry."""

    def options(self) -> Sequence[tuple[str, Option]]:
        """Return every option that plugins declare, with the plugin's name."""

    def assets(self) -> Sequence[tuple[str, Assets]]:
        """Return the folders of templates and static files, with the plugin's name."""

    def reports(self) -> Sequence[PluginReport]:
        """Return every plugin found."""


def discover(early: Early) -> Plugins:
    """Load the plugins that are installed and not switched off."""
    from flower.app import hooks  # starting to load plugins costs time that a refused command line saves
    from flower.plugins import Registry

    return Registry.load(
        core=hooks,
        config_globals=early.file.globals,
        config_path=early.file.path,
        disabled=early.disabled,
        allowed=early.allowed,
    )


def serve(app: Any, settings: EffectiveSettings, plugins: Any, quiet: bool) -> int:
    """Run the server, or the demo, until it ends, and return the exit code."""
    if settings["demo"]:
        from flower.demo import run_demo  # brings a broker, workers and traffic along

        return run_demo(settings, plugins, quiet)
    from flower.app import Flower, serve_until_stopped  # brings Tornado and everything else along

    flower = Flower(app, settings, plugins)
    return serve_until_stopped(flower, quiet=quiet)


def check(app: Any, settings: EffectiveSettings, plugins: Any, held: logs.Held) -> int:
    """Print how Flower would start, and return the exit code: 1 when a deployment is to be refused."""
    from flower.app import Flower  # brings Tornado and everything else along
    from flower.cli import check as page

    flower = Flower(app, settings, plugins)
    found = page.describe(flower, [*settings.warnings, *held.warnings()])
    click.echo(page.as_json(found) if settings["check"] == "json" else page.as_text(found))
    return 1 if settings["check"] == "deploy" and found["insecure"] else 0


def run(
    app: Any,
    words: Sequence[str],
    *,
    quiet: bool = False,
    alone: bool = False,
    environ: Mapping[str, str] = os.environ,
    discover: Callable[[Early], Plugins] = discover,
    serve: Callable[[Any, EffectiveSettings, Any, bool], int] = serve,
    check: Callable[[Any, EffectiveSettings, Any, logs.Held], int] = check,
) -> int:
    """Do what the words after `flower` say and return the exit code: 2 when they cannot be honoured.

    `app` is the Celery app that was found before those words. `alone` says that the program is called
    `flower` and there is no place for Celery's options before its name.
    """
    plugins: Plugins | None = None
    try:
        with logs.held_back() as held:
            early = peek(words, environ, os.getcwd())
            if early.version:
                click.echo(f"Flower {__version__} (Celery {celery.__version__})")
                return 0
            plugins = discover(early)
            if early.help or early.plugins:
                click.echo(_page(early, plugins, alone))
                return 0
            settings = load(
                words, options=plugins.options(), environ=environ, cwd=os.getcwd(), early=early, alone=alone
            )
            app = configured(app, settings)
            if settings["check"]:
                return check(app, settings, plugins, held)
        logs.configure(settings)
        if settings.file_path and not quiet:
            log.info("Settings from %s", settings.file_path)
        held.replay()
        for warning in settings.warnings:
            log.warning("%s", warning)
        return serve(app, settings, plugins, quiet)
    except ConfigurationError as error:
        click.echo(f"flower: {' '.join(error.message.split())}", err=True)
        for one in plugins.reports() if plugins is not None else ():
            if one.state == "failed":  # which may be why an option is not known
                click.echo(f"flower: plugin {one.name} failed: {' '.join(one.error.split())}", err=True)
        return 2


def _page(early: Early, plugins: Plugins, alone: bool) -> str:
    if early.help:
        return help_page.help_text(Catalogue(plugins.options()).owned(), alone=alone)
    plugins.options(), plugins.assets()  # what can be asked before there is a host; the reports tell what went wrong
    return report.as_json(plugins.reports()) if early.plugins == "json" else report.as_text(plugins.reports())
