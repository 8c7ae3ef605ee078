"""Log in to Flower with Google."""

__version__ = "3.0.0"
