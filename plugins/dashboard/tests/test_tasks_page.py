from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from flower_plugins import QueryError, Route, TaskColumn
from flower_plugins.testing import FakeTask


def tasks(number=3, **options):
    return [FakeTask(f"id-{n:04d}", received=1_700_000_000.0 + n, **options) for n in range(number)]


def rows(page):
    return [row["id"].removeprefix("task-") for row in page.find("tr") if (row.get("id") or "").startswith("task-")]


def test_the_newest_received_come_first_unless_asked_otherwise(site):
    made = site(tasks=tasks())
    assert rows(made.page("/tasks")) == ["id-0002", "id-0001", "id-0000"]
    assert rows(made.page("/tasks?sort_by=received")) == ["id-0000", "id-0001", "id-0002"]


@pytest.mark.parametrize(
    ("setting", "headers"),
    [
        ("name,uuid,state,received,runtime,worker", ["Name", "UUID", "State", "Received", "Runtime", "Worker"]),
        ("retries, eta,bogus", ["Retries", "ETA"]),
    ],
)
def test_columns_follow_the_setting(site, setting, headers):
    page = site(tasks=tasks(1), tasks_columns=setting).page("/tasks")
    shown = [cell["data-label"] for cell in page.find("td", role="cell") if cell["class"] != "pick"]
    assert shown == headers


def test_headers_sort_without_script_and_say_so(site):
    page = site(tasks=tasks()).page("/tasks?sort_by=name&state=SUCCESS")
    assert "/tasks?state=SUCCESS&sort_by=-name" in page.values("a", "href")
    assert page.find("th", **{"aria-sort": "ascending"})
    assert not any("sort_by=uuid" in href or "sort_by=-uuid" in href for href in page.values("a", "href"))


def test_pages_are_links_that_keep_the_query(site):
    made = site(tasks=tasks(45, worker="w1@shop"))
    page = made.page("/tasks?worker=w1@shop&limit=15&offset=15")
    assert "16\u201330 of 45 tasks" in page.text
    links = page.values("a", "href")
    assert "/tasks?worker=w1%40shop&limit=15" in links
    assert len(rows(page)) == 15
    (following,) = [href for href in links if "after=" in href]
    third = made.page(following)
    assert "31\u201345 of 45 tasks" in third.text
    (back,) = [href for href in third.values("a", "href") if "before=" in href]
    assert rows(made.page(back)) == rows(page)
    assert "16\u201330 of 45 tasks" in made.page(back).text
    assert not third.find("a", rel="next")


def test_an_order_without_cursors_is_paged_by_offsets(site, monkeypatch):
    made = site(tasks=tasks(45))
    query = made.host.tasks.query

    async def without_cursors(wanted):
        return replace(await query(wanted), next="", previous="")

    monkeypatch.setattr(made.host.tasks, "query", without_cursors)
    links = made.page("/tasks?sort_by=name&limit=15&offset=15").values("a", "href")
    assert {"/tasks?sort_by=name&offset=30&limit=15", "/tasks?sort_by=name&limit=15"} <= set(links)


def test_going_back_to_the_beginning_shows_the_newest_page(site):
    made = site(tasks=tasks(40))
    page = made.page("/tasks?before=id-0037&limit=15&offset=15")
    assert rows(page) == rows(made.page("/tasks?limit=15"))
    assert "1\u201315 of 40 tasks" in page.text


def test_everything_in_the_url_reaches_the_query(site):
    made = site(tasks=tasks())
    made.page("/tasks?search=two+words&state=SUCCESS&worker=w1&name=n&sort_by=-runtime&limit=30&offset=5")
    query = made.host.tasks.queries[0]
    assert (query.search, query.state, query.worker, query.name) == ("two words", "SUCCESS", "w1", "n")
    assert (query.sort_by, query.descending, query.limit, query.offset) == ("runtime", True, 30, 5)


def test_the_box_shows_the_whole_query_and_the_chip_mirrors_it(site):
    page = site(tasks=tasks()).page("/tasks?search=add+state:SUCCESS&worker=w1@shop")
    (box,) = page.find("input", type="search")
    assert box["value"] == "add state:SUCCESS worker:w1@shop"
    chosen = [a for a in page.find("a") if a.get("class", "").startswith("chip") and a.get("aria-current")]
    assert len(chosen) == 1
    assert page.find("a", **{"class": "chip", "href": "/tasks?search=add&worker=w1%40shop"})


def test_a_search_that_cannot_be_read_is_explained_in_place(site):
    page = site().page('/tasks?search="open')
    assert "Unterminated quoted phrase at position 0." in page.text
    assert page.find("input", **{"aria-invalid": "true"})


def test_a_sort_field_that_does_not_exist_is_explained_in_place(site):
    assert "Invalid sort_by" in site().page("/tasks?sort_by=__class__").text


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=x", "offset=x", "limit=1e9"])
def test_bad_numbers_are_400(site, query):
    assert site().fetch(f"/tasks?{query}").code == 400


@pytest.mark.parametrize(
    ("path", "options", "words"),
    [
        ("/tasks", {"tasks": []}, "No task event has arrived yet"),
        ("/tasks?search=nothing", {}, "No task matches"),
        ("/tasks?offset=50", {}, "There are no tasks this far back"),
    ],
)
def test_an_empty_list_teaches_the_way_out(site, path, options, words):
    assert words in site(**options).page(path).text


def test_only_the_newest_page_in_usual_order_follows_the_stream(site):
    made = site(tasks=tasks(60))
    assert made.page("/tasks").values("body", "data-stream") == ["/stream?topics=tasks"]
    assert made.page("/tasks?state=SUCCESS").values("body", "data-stream")
    for other in ("/tasks?offset=50", "/tasks?sort_by=name"):
        page = made.page(other)
        assert page.values("body", "data-stream") == []
        assert "Refresh" in page.text


def test_without_auto_refresh_there_is_a_button_instead_of_a_stream(site):
    for path in ("/tasks", "/workers", "/task/a", "/worker/w1@shop"):
        page = site(auto_refresh=False).page(path)
        assert page.values("body", "data-stream") == []
        assert path in page.values("a", "href")
        assert "Refresh" in page.text


def test_a_fragment_has_the_same_rows_as_the_page(site):
    made = site(tasks=tasks())
    page, fragment = made.page("/tasks"), made.page("/tasks?fragment=1")
    assert rows(fragment) == rows(page)
    assert not fragment.find("html")
    live = {element["id"] for _, element in fragment.elements if "data-live" in element}
    assert live == {"freshness", "banners", "filters", "following", "facets", "results"}


def test_natural_time_shows_ages_and_keeps_the_exact_time(site):
    page = site(tasks=tasks(1), natural_time=True).page("/tasks")
    (time,) = [t for t in page.find("time") if t["datetime"].startswith("2023-11-14T22:13:20")]
    assert "data-time" in time
    assert time["title"] == "2023-11-14 22:13:20.000000 UTC"


def test_a_list_of_huge_values_stays_small(site):
    huge = tasks(50, args="x" * 65_536, kwargs="y" * 65_536, result="z" * 65_536, exception="e" * 65_536)
    assert len(site(tasks=huge, tasks_columns="all").page("/tasks").html) < 1_000_000


def test_many_states_of_custom_events_do_not_flood_the_chips(site):
    made = site(tasks=[FakeTask(f"t{n}", state=f"STEP{n}") for n in range(50)])
    chips = [a for a in made.page("/tasks").find("a") if a.get("class", "").startswith("chip")]
    assert len(chips) < 20


def test_a_task_whose_worker_is_lost_says_so_and_can_be_filtered(site):
    """R31"""
    made = site(tasks=tasks(3, state="STARTED", worker="w2@shop"))
    made.host.tasks.lost = {"id-0001"}
    page = made.page("/tasks")
    marked = [part.partition('"')[0] for part in page.html.split('id="task-')[1:] if "Worker lost" in part]
    assert marked == ["id-0001"]
    assert "/tasks?search=is%3Alost" in page.values("a", "href")
    page = made.page("/tasks?search=is:lost")
    assert rows(page) == ["id-0001"]
    made.host.tasks.lost = set()
    assert "Worker lost" not in made.page("/tasks").text


def test_facets_count_all_kept_tasks_and_lead_to_filters(site):
    made = site(
        tasks=[
            *(FakeTask(f"a{n}", name="shop.mail", queue="mail") for n in range(3)),
            FakeTask("b", name="shop.add", state="FAILURE", worker="w2@shop"),
        ]
    )
    page = made.page("/tasks?queue=mail&search=shop")
    facets = page.html.split('id="facets"')[1].split("</details>")[0]
    assert page.find("a", href="/tasks?search=shop&name=shop.mail&queue=mail", title="shop.mail")
    assert page.find("a", href="/tasks?search=shop&state=FAILURE&queue=mail", title="FAILURE")
    (chosen,) = [a for a in page.find("a", title="mail") if a.get("aria-current")]
    assert chosen["href"] == "/tasks?search=shop"
    assert "4 tasks kept" in facets
    assert rows(page) == ["a2", "a1", "a0"]
    assert made.host.tasks.queries[0].queue == "mail"


def test_a_facet_shows_its_most_frequent_values_and_the_chosen_one(site):
    many = [FakeTask(f"t{n}-{i}", name=f"task{n:02}") for n in range(20) for i in range(n + 1)]
    page = site(tasks=many).page("/tasks?name=TASK03")
    facet = page.html.split('id="facet-name"')[1].split("</section>")[0]
    assert facet.count("<li>") == 9
    assert "task19" in facet
    assert "task10" not in facet
    assert "TASK03" in facet
    assert "and 12 more" in facet


def test_a_filter_can_be_taken_away(site):
    page = site(tasks=tasks()).page("/tasks?name=shop.add&queue=mail&worker=w1@shop")
    chips = {a["href"] for a in page.find("a", **{"class": "chip chip-filter"})}
    assert "/tasks?worker=w1%40shop&name=shop.add" in chips
    assert len(chips) == 3


def test_columns_of_the_url_go_before_the_setting(site):
    made = site(tasks=tasks(1), tasks_columns="name")
    page = made.page("/tasks?columns=worker,uuid,nonsense")
    assert [th["data-column"] for th in page.find("th") if "data-column" in th] == ["worker", "uuid"]
    assert any("columns=worker%2Cuuid" in href for href in page.values("a", "href"))
    own = made.page("/tasks?own=state,name")
    assert [th["data-column"] for th in own.find("th") if "data-column" in th] == ["state", "name"]
    assert not any("columns=" in href or "own=" in href for href in own.values("a", "href"))
    shown = [i for i in page.find("li") if "data-column" in i]
    assert [i["data-column"] for i in shown][:2] == ["worker", "uuid"]
    assert len(shown) == 17


def test_the_place_of_a_mistake_is_marked_where_the_reader_wrote_it(site):
    made = site(tasks=tasks(1))

    async def refuse(query):
        if '"' in query.search:
            raise QueryError(f"Unterminated quoted phrase at position {query.search.index(chr(34))}.")
        return await type(made.host.tasks).query(made.host.tasks, query)

    made.host.tasks.query = refuse
    page = made.page("/tasks?search=state:FAILURE+%22a+b")
    assert page.find("input", type="search")[0]["value"] == 'state:FAILURE "a b'
    assert "at position 14." in page.text
    assert "<mark>&#34;a</mark>" in page.html


def test_the_query_is_also_a_command(site):
    made = site(tasks=tasks(1))
    assert "As curl" not in made.page("/tasks").text
    made.routes = [*made.routes, Route("/api/tasks/?", object, "read", "api", "list")]
    made.host.challenge_list = ["Basic realm=flower"]
    page = made.page("/tasks?state=SUCCESS&search=shop&worker=w1@shop&sort_by=-runtime")
    line = page.html.split('id="curl-line">')[1].split("</pre>")[0]
    assert line.startswith("curl --user NAME &#39;http://127.0.0.1:")
    assert line.endswith("/api/tasks?search=shop&amp;state=SUCCESS&amp;workername=w1%40shop&amp;limit=50&#39;")


def test_nothing_found_names_the_filters_and_the_ways_out(site):
    page = site(tasks=tasks(1)).page("/tasks?state=FAILURE&search=nope")
    assert "none has text nope and state FAILURE" in page.text
    links = page.values("a", "href")
    assert {"/tasks", "/tasks?search=nope", "/tasks?state=FAILURE"} <= set(links)


def test_without_events_the_page_says_whether_workers_are_heard(site):
    assert "2 workers are known" in site(tasks=[]).page("/tasks").text
    assert "No worker has been heard either" in site(tasks=[], workers=[]).page("/tasks").text


def test_every_row_can_be_selected_without_script(site):
    page = site(tasks=tasks(2)).page("/tasks")
    boxes = page.find("input", name="ids", form="bulk")
    assert [box["value"] for box in boxes] == ["id-0001", "id-0000"]
    assert all(box["aria-label"].endswith(box["value"]) for box in boxes)
    assert page.find("form", id="bulk", action="/tasks/confirm", method="post")
    assert [b["value"] for b in page.find("button", name="action")] == ["revoke", "terminate", "export"]


def test_one_link_of_a_row_stands_for_it(site):
    """What j and k go through."""
    for columns in ("name,uuid", "uuid,name", "state,uuid"):
        page = site(tasks=tasks(3), tasks_columns=columns).page("/tasks")
        assert len([a for a in page.find("a") if "data-row" in a]) == 3
    nameless = site(tasks=[FakeTask("x", name=None)], tasks_columns="name,uuid").page("/tasks")
    assert [a["href"] for a in nameless.find("a") if "data-row" in a] == ["/task/x"]


def test_columns_of_plugins_are_shown_when_chosen_and_never_sorted_by(site):
    made = site(tasks=tasks(1), tasks_columns="customer,name,due,cost,nothing")
    made.host.columns = [
        TaskColumn("customer", "Customer <x>", lambda task: f"<x-evil>{task.uuid}"),
        TaskColumn("due", "Due", lambda task: 1_700_000_060.0, "time"),
        TaskColumn("cost", "Cost", lambda task: 12.5, "number"),
        TaskColumn("nothing", "Nothing", lambda task: None),
        TaskColumn("other", "Other", lambda task: 1 / 0),
    ]
    page = made.page("/tasks")
    cells = [cell["data-label"] for cell in page.find("td", role="cell") if cell["class"] != "pick"]
    assert cells == ["Customer <x>", "Name", "Due", "Cost", "Nothing"]
    assert "<x-evil>id-0000" in page.text
    assert not page.find("x-evil")
    assert '<time datetime="2023-11-14T22:14:20.000+00:00"' in page.html
    assert re.search(r'<td role="cell" class="kind-number" data-label="Cost">12.5</td>', page.html)
    assert re.search(r'data-label="Nothing"><span class="missing">', page.html)
    (head,) = page.find("th", **{"data-column": "customer"})
    assert "aria-sort" not in head
    offered = [item["data-column"] for item in page.find("li") if "data-column" in item]
    assert offered[:5] == ["customer", "name", "due", "cost", "nothing"]
    assert offered[-1] == "other"


def test_a_column_of_a_plugin_can_be_asked_for_by_the_browser(site):
    made = site(tasks=tasks(1))
    made.host.columns = [TaskColumn("customer", "Customer", lambda task: "acme")]
    assert "acme" not in made.page("/tasks").text
    assert "acme" in made.page("/tasks?own=name,customer").text
    assert "acme" in made.page("/tasks?columns=customer").text
