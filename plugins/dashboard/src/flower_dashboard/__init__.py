"""Flower's pages for the browser."""

__version__ = "3.0.0"
