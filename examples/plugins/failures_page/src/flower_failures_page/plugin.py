"""Entry point: a page at /failures that follows the cluster, and an entry in the navigation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flower_plugins import Assets, NavItem, Param, Route, TaskQuery, hookimpl
from flower_plugins.web import Handler

FLOWER_API_VERSION = 1

HERE = Path(__file__).parent


class FailuresPage(Handler):
    """What failed in the last hour."""

    async def get(self) -> None:
        page = await self.host.tasks.query(TaskQuery(state="FAILURE", sort_by="received", descending=True, limit=20))
        self.send_page(
            "failures_page/page.html",
            topics=("tasks",),
            fragment=self.params["fragment"],
            tasks=page.rows,
            matching=page.matching,
            failures=self.host.rollups.counts(3600, types=["task-failed", "task-retried"]),
            problems=self.host.problems(),
        )


@hookimpl
def flower_routes() -> Sequence[Route]:
    fragment = Param("fragment", bool, False, help="Only the parts that change.")
    return [Route("/failures", FailuresPage, access="read", surface="page", name="failures", params=[fragment])]


@hookimpl
def flower_nav_items() -> Sequence[NavItem]:
    return [NavItem("Failures", "/failures", order=35, key="f")]


@hookimpl
def flower_assets() -> Sequence[Assets]:
    return [Assets(templates=HERE / "templates", static=HERE / "static")]
