from __future__ import annotations

import pytest

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
    shown = [cell["data-label"] for cell in page.find("td", role="cell")]
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
    assert "/tasks?worker=w1%40shop&offset=30&limit=15" in links
    assert "/tasks?worker=w1%40shop&limit=15" in links
    assert len(rows(page)) == 15


def test_everything_in_the_url_reaches_the_query(site):
    made = site(tasks=tasks())
    made.page("/tasks?search=two+words&state=SUCCESS&worker=w1&name=n&sort_by=-runtime&limit=30&offset=5")
    query = made.host.tasks.queries[0]
    assert (query.search, query.state, query.worker, query.name) == ("two words", "SUCCESS", "w1", "n")
    assert (query.sort_by, query.descending, query.limit, query.offset) == ("runtime", True, 30, 5)


def test_the_box_shows_the_whole_query_and_the_chip_mirrors_it(site):
    page = site(tasks=tasks()).page("/tasks?search=add+state:SUCCESS&worker=w1@shop")
    (box,) = page.find("input", name="search")
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
    assert live == {"freshness", "banners", "filters", "results"}


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
