"""The tasks in the form of DataTables' server-side protocol, which scripts for older Flowers read."""

from __future__ import annotations

from typing import Any

from flower_dashboard.columns import SORTABLE
from flower_dashboard.params import MOST_ROWS
from flower_plugins import Page, QueryError, Task, TaskQuery
from flower_plugins.web import Handler

__all__ = ["TasksDatatable"]

_FIELDS = SORTABLE | {"uuid", "timestamp", "sent", "succeeded", "failed", "retried", "rejected", "clock", "client"}


class TasksDatatable(Handler):
    """`/tasks/datatable`."""

    async def get(self) -> None:
        search_error = ""
        try:
            page = await self.host.tasks.query(self._query())
        except QueryError as error:
            page, search_error = Page((), 0, len(self.host.tasks)), error.message
        answer = {
            "draw": self.params["draw"],
            "data": [self._row(task) for task in page.rows],
            "recordsTotal": page.kept,
            "recordsFiltered": page.matching,
        }
        self.send_json({**answer, "searchError": search_error} if search_error else answer)

    post = get

    def _row(self, task: Task) -> dict[str, Any]:
        row, loss = task.fields(), self.host.tasks.loss(task)
        if loss:
            row[f"worker_{loss}"] = True
        return row

    def _query(self) -> TaskQuery:
        number = self.params["order[0][column]"]
        field = self.get_argument(f"columns[{number}][data]", "")
        return TaskQuery(
            search=self.params["search[value]"],
            sort_by=field if field in _FIELDS else "",
            descending=self.params["order[0][dir]"] == "desc",
            offset=max(self.params["start"], 0),
            limit=min(max(self.params["length"], 0), MOST_ROWS),
        )
