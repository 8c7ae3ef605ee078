"""The assembly: builds every part, starts and stops them in order."""

from flower.app.flower import Flower
from flower.app.life import serve_until_stopped

__all__ = ["Flower", "serve_until_stopped"]
