"""The tasks in the form of DataTables' server-side protocol, which scripts for older Flowers read."""

from __future__ import annotations

from typing import Any

from flower_dashboard.columns import SORTABLE
from flower_plugins import Page, Param, QueryError, Task, TaskQuery
from flower_plugins.web import Handler

__all__ = ["DATATABLE_PARAMS", "TasksDatatable"]

_MOST = 5000
_FIELDS = SORTABLE | {"uuid", "timestamp", "sent", "succeeded", "failed", "retried", "rejected", "clock", "client"}

DATATABLE_PARAMS = (
    Param("draw", int, required=True, help="Comes back unchanged."),
    Param("start", int, required=True, help="Rows to pass over."),
    Param("length", int, required=True, help=f"Rows to return, none when it is not positive, at most {_MOST}."),
    Param("order[0][column]", int, required=True, help="Number of the column to sort by."),
    Param("order[0][dir]", str, "asc", help="“desc” for descending."),
    Param("search[value]", str, "", help="A text in the search language."),
)


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
            limit=min(max(self.params["length"], 0), _MOST),
        )
