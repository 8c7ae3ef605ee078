"""Kept for login handlers written for Flower 2, which subclass `flower.views.BaseHandler`."""

from flower.web.classic import ClassicHandler

__all__ = ["BaseHandler"]


class BaseHandler(ClassicHandler):
    """A Tornado handler that knows the settings and who is logged in."""
