"""The assembly: builds every part, starts and stops them in order."""

from flower.app.flower import Flower

__all__ = ["Flower"]
