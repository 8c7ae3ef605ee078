from __future__ import annotations

import pytest

from flower_plugins.testing import FakeWorker

COUNTS = {"task-received": 1234, "task-failed": 5, "task-succeeded": 1200}


def workers():
    return [
        FakeWorker("a@shop", active=2, counts=COUNTS),
        FakeWorker("b@shop", online=False, active=7, loadavg=(9.0, 9.0, 9.0), counts={"task-failed": 1}),
    ]


def test_the_title_the_tiles_and_the_totals(site):
    page = site(workers=workers()).page("/workers")
    assert "<title>Workers · Flower</title>" in page.html
    assert "Online workers 1 of 2" in page.text
    assert "Active tasks 2" in page.text
    assert "Succeeded 1,200" in page.text
    assert "Failed 6" in page.text
    assert "Total 2 1,234 6 1,200" in page.text


def test_offline_workers_come_first_and_are_marked_without_a_load(site):
    page = site(workers=workers()).page("/workers")
    rows = [row for row in page.find("tr") if (row.get("id") or "").startswith("worker-")]
    assert [row["id"] for row in rows] == ["worker-b@shop", "worker-a@shop"]
    assert rows[0]["class"] == "worker-offline"
    assert "9.00" not in page.text


def test_nothing_is_said_to_run_at_workers_that_are_offline(site):
    page = site(workers=workers()).page("/workers?status=offline")
    assert "Active tasks 0" in page.text
    assert " 7 " not in page.text


def test_counts_lead_to_their_tasks(site):
    links = site(workers=workers()).page("/workers").values("a", "href")
    assert "/tasks?worker=a%40shop&state=STARTED" in links
    assert "/tasks?worker=a%40shop&state=FAILURE" in links
    assert "/tasks?worker=a%40shop&state=SUCCESS" in links
    assert "/tasks?worker=b%40shop&state=STARTED" not in links


@pytest.mark.parametrize(
    ("sort_by", "first"), [("worker", "a@shop"), ("-worker", "b@shop"), ("-processed", "a@shop"), ("bogus", "b@shop")]
)
def test_columns_sort_without_script(site, sort_by, first):
    page = site(workers=workers()).page(f"/workers?sort_by={sort_by}")
    rows = [row["id"] for row in page.find("tr") if (row.get("id") or "").startswith("worker-")]
    assert rows[0] == f"worker-{first}"


def test_the_search_form_works_without_script(site):
    made = site(workers=workers())
    assert made.page("/workers").find("form", action="/workers")
    page = made.page("/workers?search=B%40")
    assert "b@shop" in page.text
    assert "a@shop" not in page.text
    assert "Show all workers" in made.page("/workers?search=nobody").text


def test_many_workers_come_in_pages(site):
    made = site(workers=[FakeWorker(f"w{number:03d}") for number in range(120)])
    assert "1\u2013100 of 120 workers" in made.page("/workers").text
    assert "101\u2013120 of 120 workers" in made.page("/workers?offset=100").text


def test_no_worker_teaches_how_to_start_one(site):
    assert "celery -A proj worker" in site(workers=[]).page("/workers").text


@pytest.mark.parametrize("path", ["/?json=1", "/workers?json=1"])
def test_the_json_of_older_flowers(site, path):
    made = site(workers=workers())
    answer = made.json(path)
    assert answer == {"data": [worker.fields() | {"loadavg": list(worker.loadavg)} for worker in workers()]}


@pytest.mark.parametrize(
    ("site_header", "asked"), [(None, [None]), ("same-origin", [None]), ("none", [None]), ("cross-site", [])]
)
def test_refresh_asks_all_workers_but_never_for_another_site(site, site_header, asked):
    made = site()
    headers = {} if site_header is None else {"Sec_Fetch_Site": site_header}
    assert made.fetch("/workers?refresh=1", **headers).code == 200
    assert made.host.inspect.refreshed == asked


def test_refresh_of_a_foreign_origin_is_not_heeded(site):
    made = site()
    made.fetch("/workers?refresh=1", Origin="http://evil.example")
    assert made.host.inspect.refreshed == []


def test_repeated_refreshes_ask_once(site):
    made = site()

    async def scenario(client):
        for _ in range(20):
            await client.fetch("/workers?refresh=1")

    made.serve(scenario)
    assert made.host.inspect.refreshed == [None]


def test_a_thousand_workers_are_added_up_and_only_those_shown_become_rows(site):
    """BAR R41."""
    many = [FakeWorker(f"w{n:04}@shop", active=1, counts={"task-failed": n % 2}) for n in range(1000)]
    page = site(workers=many).page("/workers?sort_by=-failed&limit=10&offset=490")
    rows = [row["id"] for row in page.find("tr") if (row.get("id") or "").startswith("worker-")]
    assert rows == [f"worker-w{n:04}@shop" for n in (19, 17, 15, 13, 11, 9, 7, 5, 3, 1)]
    assert "Total 1,000 0 500 0" in page.text
    assert "Online workers 1,000 of 1,000" in page.text


def test_a_row_says_since_when_nothing_was_heard_and_whose_clock_is_off(site):
    workers = [
        FakeWorker("a@shop", online=False, last_seen=None),
        FakeWorker("b@shop", online=False, last_seen=1_700_000_001.0),
        FakeWorker("c@shop", skew=-90.0),
    ]
    page = site(workers=workers).page("/workers")
    assert "Offline never seen" in page.text
    assert "Offline last seen 2023-11-14" in page.text
    assert "clock 1m 30s behind" in page.text
    assert page.find("time", datetime="2023-11-14T22:13:21.000+00:00")
