"""The command line: from words to a running Flower and an exit code."""

from flower.cli.run import run

__all__ = ["run"]
