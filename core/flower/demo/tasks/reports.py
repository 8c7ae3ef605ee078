"""Reports: the slow ones, worth terminating."""

from __future__ import annotations

import random
import time
from typing import Any

from celery.app.task import Task

__all__ = ["export_customers", "nightly", "sales_summary"]


def nightly(task: Task, day: str, regions: list[str]) -> dict[str, Any]:
    """Close the books of a day, region by region: about 5 seconds each, with progress."""
    for done, _region in enumerate(regions, start=1):
        time.sleep(random.uniform(4, 6))
        task.send_event("task-progress", done=done, total=len(regions))
    return {"day": day, "regions": len(regions), "revenue": f"{random.uniform(9e3, 3e4):.2f} EUR"}


def sales_summary(period: str) -> dict[str, Any]:
    """Add up the sales of a period; beat asks for it."""
    time.sleep(random.uniform(0.5, 1.5))
    return {"period": period, "orders": random.randint(80, 400), "best_seller": "TEE-BLACK-M"}


def export_customers(country: str, rows: int) -> str:
    """Export customers at 2,000 rows a second; large countries run into the soft time limit."""
    for _thousand in range(0, rows, 1000):
        time.sleep(0.5)
    return f"customers-{country.lower()}.csv"
