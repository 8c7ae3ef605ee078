"""The demo's shop on Redis: `celery -A examples.shop_redis worker -E`."""

from __future__ import annotations

from flower.demo.shop import make_app

app = make_app("redis://localhost:6379/0", "redis://localhost:6379/0")
