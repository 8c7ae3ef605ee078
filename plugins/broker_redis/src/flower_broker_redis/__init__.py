"""Redis queues in Flower."""

__version__ = "3.0.0"
