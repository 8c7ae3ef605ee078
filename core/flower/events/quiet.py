"""The names by which `flower.events` knows `flower.quiet`."""

from flower.quiet import QuietLog, one_line

__all__ = ["QuietLog", "one_line"]
