"""The `flower` command of `celery`. Celery imports this for every command, so it imports almost nothing."""

from __future__ import annotations

import sys
from typing import Any

import click
from celery.bin.base import CeleryCommand, handle_preload_options

__all__ = ["flower", "main"]

_PROGRAM = "flower"


def main() -> None:
    """Run `celery flower` with the words of this command line: the console script `flower`."""
    from celery.bin.celery import celery  # loads every command of Celery

    celery(args=[_PROGRAM, *sys.argv[1:]], prog_name=_PROGRAM, auto_envvar_prefix="CELERY")


def _start(ctx: click.Context, words: tuple[str, ...], **_preload: object) -> None:
    import gc  # built in, but workers have no use for it here

    gc.disable()  # what is imported and made until the server has settled lives as long as the process
    try:
        from flower.cli import run  # only here: workers load this module too

        alone = ctx.find_root().info_name == _PROGRAM
        code = run(ctx.obj.app, words, quiet=ctx.obj.quiet, alone=alone)
    finally:
        gc.enable()
    ctx.exit(code)


_callback: Any = click.pass_context(handle_preload_options(_start))

flower: click.Command = CeleryCommand(
    _PROGRAM,
    callback=_callback,
    params=[click.Argument(["words"], nargs=-1, type=click.UNPROCESSED)],
    context_settings={"ignore_unknown_options": True},
    add_help_option=False,
    help="Watch and steer the cluster from the browser.",
)
"""What the entry point `flower` in the group `celery.commands` names."""
