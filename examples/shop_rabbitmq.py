"""The demo's shop on RabbitMQ: `celery -A examples.shop_rabbitmq worker -E`.

Results, which chords need, go into a folder: RabbitMQ keeps none that several processes can read.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from flower.demo.shop import make_app

results = Path(tempfile.gettempdir(), "shop-results")
results.mkdir(mode=0o700, exist_ok=True)

app = make_app("amqp://guest:guest@localhost:5672//", f"flower.demo.spool:Results+file://{results}")
