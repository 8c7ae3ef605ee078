"""Log in to Flower with GitLab."""

__version__ = "3.0.0"
