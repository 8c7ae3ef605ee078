"""Flower's memory across restarts, in an SQLite file."""

__version__ = "3.0.0"
