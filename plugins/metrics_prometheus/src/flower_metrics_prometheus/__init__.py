"""Flower's metrics in Prometheus format."""

__version__ = "3.0.0"
