"""The assembly: builds every part, starts and stops them in order."""

from flower.app.flower import Flower
from flower.app.run import run

__all__ = ["Flower", "run"]
