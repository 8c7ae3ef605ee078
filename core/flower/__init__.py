"""Flower watches and steers Celery clusters."""

__version__ = "3.0.0"
