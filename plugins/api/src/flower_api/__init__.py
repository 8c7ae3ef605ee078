"""Flower's REST API."""

__version__ = "3.0.0"
