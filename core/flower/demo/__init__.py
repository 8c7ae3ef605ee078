"""A living cluster without a broker, for `celery flower --demo`."""

from __future__ import annotations

from flower.demo.run import run_demo

__all__ = ["run_demo"]
