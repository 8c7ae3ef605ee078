"""Lists of tasks page by page: the headers that count and lead on, and numbers of any size."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest

from flower_api.plugin import flower_routes
from flower_plugins import Page, TaskQuery
from flower_plugins.testing import Client, FakeHost, FakeTask, FakeTasks, serve


class WithoutCursors(FakeTasks):
    """Tasks in an order that no cursor continues."""

    async def query(self, query: TaskQuery) -> Page:
        page = await super().query(query)
        return Page(page.rows, page.matching, page.kept)


def host(count: int = 5, **more: str) -> FakeHost:
    return FakeHost(tasks=[FakeTask(f"t{number}") for number in range(count)], **more)  # type: ignore[arg-type]


def ask(made: FakeHost, path: str, method: str = "GET") -> tuple[int, list[str], Mapping[str, str]]:
    """Return (status, ids, headers)."""

    async def scenario(client: Client) -> tuple[int, list[str], Mapping[str, str]]:
        response = await client.fetch(path, method)
        text = response.body.decode()
        return response.code, list(json.loads(text)) if text.startswith("{") else [text], response.headers

    return serve(made, flower_routes(), scenario)


def following(headers: Mapping[str, str]) -> str:
    found = re.fullmatch(r'<(.+)>; rel="next"', headers["Link"])
    assert found is not None
    return found[1]


@pytest.mark.parametrize("prefix", ["", "/flower"])
def test_following_the_links_reads_every_task_once(prefix: str) -> None:
    made = host(url_prefix=prefix)
    path, seen, pages = f"{prefix}/api/tasks?limit=2&state=success&unknown=1", [], 0
    while path:
        status, ids, headers = ask(made, path)
        assert (status, headers["X-Total-Count"]) == (200, "5")
        seen += ids
        pages += 1
        path = following(headers) if "Link" in headers else ""
    assert (seen, pages) == (["t4", "t3", "t2", "t1", "t0"], 3)


def test_a_link_keeps_the_question_and_goes_on_by_cursor() -> None:
    headers = ask(host(), "/api/tasks?limit=2&offset=1&taskname=shop.add%26x&search=%22")[2]
    assert "Link" not in headers  # a refused search has no next page
    made = host()
    for task in made.tasks.items.values():
        task.name = "a&b c"
    headers = ask(made, "/api/tasks?limit=2&offset=1&taskname=a%26b%20c")[2]
    assert following(headers) == "/api/tasks?limit=2&taskname=a%26b+c&after=t2"


def test_an_order_without_cursors_goes_on_by_offset() -> None:
    made = host()
    made.tasks = WithoutCursors(made.tasks.items.values())
    _, ids, headers = ask(made, "/api/tasks?limit=2&offset=1")
    assert (ids, following(headers)) == (["t3", "t2"], "/api/tasks?limit=2&offset=3")
    assert "Link" not in ask(made, "/api/tasks?limit=2&offset=3")[2]
    assert "Link" not in ask(made, "/api/tasks?offset=1")[2]


@pytest.mark.parametrize("query", ["", "limit=5", "limit=0", "limit=-1", "limit=3&offset=9"])
def test_there_is_no_link_where_nothing_follows(query: str) -> None:
    _, _, headers = ask(host(), f"/api/tasks?{query}")
    assert "Link" not in headers
    assert headers["X-Total-Count"] == "5"


def test_the_count_can_be_had_alone() -> None:
    status, _, headers = ask(host(), "/api/tasks?limit=0", "HEAD")
    assert (status, headers["X-Total-Count"], headers["Content-Length"]) == (200, "5", "2")


def test_a_cursor_that_cannot_be_read_is_refused() -> None:
    assert ask(host(), "/api/tasks?after=nonsense")[0] == 400


@pytest.mark.parametrize("name", ["limit", "offset"])
@pytest.mark.parametrize(
    ("number", "status"),
    [(2**31, 200), (2**53, 200), (2**63, 200), (2**64, 200), (10**39, 200), (10**40, 400), (-(10**38), 200)],
)
def test_numbers_of_any_size_are_answered(name: str, number: int, status: int) -> None:
    assert ask(host(), f"/api/tasks?{name}={number}")[0] == status
