"""HTTP Basic authentication for Flower."""

__version__ = "3.0.0"
