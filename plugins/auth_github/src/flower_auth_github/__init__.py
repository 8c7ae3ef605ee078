"""Log in to Flower with GitHub."""

__version__ = "3.0.0"
