"""Log in to Flower with Okta."""

__version__ = "3.0.0"
