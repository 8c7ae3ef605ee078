from __future__ import annotations

import csv
import io
import json
from urllib.parse import urlencode

import pytest

from flower_dashboard.pages import export
from flower_dashboard.pages.export import COLUMNS, csv_cell
from flower_plugins import TaskColumn
from flower_plugins.testing import FakeTask

FORM = {"Content_Type": "application/x-www-form-urlencoded"}


def tasks(number, **options):
    return [FakeTask(f"t{n:03}", received=1_700_000_000.0 + n, **options) for n in range(number)]


def table(answer):
    return list(csv.DictReader(io.StringIO(answer.body.decode())))


def test_all_that_match_are_a_table(site):
    made = site(tasks=[*tasks(3, queue="mail"), FakeTask("x", state="FAILURE")])
    answer = made.fetch("/tasks/export?state=SUCCESS&queue=mail")
    assert answer.code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=UTF-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="tasks-')
    rows = table(answer)
    assert [row["uuid"] for row in rows] == ["t002", "t001", "t000"]
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["received"] == "2023-11-14T22:13:22.000+00:00"
    assert (rows[0]["args"], rows[0]["queue"], rows[0]["exception"]) == ("(1, 2)", "mail", "")


def test_a_selection_is_exported_in_its_order(site):
    made = site(tasks=tasks(5))
    body = urlencode({"format": "json", "ids": ["t003\r\nt001", "gone"]}, doseq=True)
    answer = made.fetch("/tasks/export", "POST", body, **FORM)
    rows = json.loads(answer.body)
    assert [row["uuid"] for row in rows] == ["t003", "t001"]
    assert {**FakeTask("t003", received=1_700_000_003.0).fields(), "queue": None} == rows[0]


def test_columns_of_plugins_come_behind_ours(site):
    made = site(tasks=[FakeTask("t1", name="=mail"), FakeTask("t2", name=None)])
    made.host.columns = [
        TaskColumn("customer", "Customer", lambda task: task.name),
        TaskColumn("due", "Due", lambda task: 1_700_000_000.5 if task.name else None, "time"),
        TaskColumn("cost", "Cost", lambda task: -3, "number"),
    ]
    rows = {row["uuid"]: row for row in table(made.fetch("/tasks/export"))}
    assert tuple(rows["t1"]) == (*COLUMNS, "customer", "due", "cost")
    added = ("customer", "due", "cost")
    assert [rows["t1"][name] for name in added] == ["'=mail", "2023-11-14T22:13:20.500+00:00", "-3"]
    assert [rows["t2"][name] for name in added] == ["", "", "-3"]
    objects = {row["uuid"]: row for row in json.loads(made.fetch("/tasks/export?format=json").body)}
    assert [objects["t1"][name] for name in added] == ["=mail", 1_700_000_000.5, -3]
    assert [objects["t2"][name] for name in added] == [None, None, -3]


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_many_are_read_behind_cursors_and_sent_in_pieces(site, monkeypatch, kind):
    monkeypatch.setattr(export, "_PAGE", 7)
    monkeypatch.setattr(export, "_PIECE", 3)
    made = site(tasks=tasks(40))
    answer = made.fetch(f"/tasks/export?format={kind}")
    rows = table(answer) if kind == "csv" else json.loads(answer.body)
    assert [row["uuid"] for row in rows] == [f"t{n:03}" for n in reversed(range(40))]
    assert max(query.limit for query in made.host.tasks.queries) == 7
    assert len(made.host.tasks.queries) == 6


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_nothing_that_matches_is_a_file_too(site, kind):
    answer = site(tasks=[]).fetch(f"/tasks/export?format={kind}")
    assert answer.code == 200
    assert (table(answer) if kind == "csv" else json.loads(answer.body)) == []


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\n=1", "'\n=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\uff20SUM(A1)", "'\uff20SUM(A1)"),
        ("a=1", "a=1"),
        (0.5, "0.5"),
        (-0.5, "-0.5"),
        (None, ""),
        ("\ud800", "?"),
    ],
)
def test_a_cell_is_no_formula(value, cell):
    assert csv_cell(value) == cell


def test_hostile_texts_stay_in_their_cells(site):
    evil = '=HYPERLINK("http://x"),\r\nnew,row'
    rows = table(site(tasks=[FakeTask("a", args=evil, name="@evil")]).fetch("/tasks/export"))
    assert (rows[0]["args"], rows[0]["name"]) == ("'" + evil, "'@evil")


def test_a_question_before_the_file_names_how_many(site, parse):
    made = site(tasks=tasks(3))
    page = parse(made.fetch("/tasks/confirm?action=export&search=shop").body.decode())
    assert "Export 3 tasks" in page.text
    assert page.find("form", action="/tasks/export", method="post")
    assert page.find("input", name="search", type="hidden")[0]["value"] == "shop"
    page = parse(made.fetch("/tasks/confirm?action=export&ids=t001").body.decode())
    assert "Export 1 task" in page.text
    assert page.find("input", name="ids")[0]["value"] == "t001"


def test_readers_who_may_not_write_may_export(site):
    made = site(tasks=tasks(1), refusals={"write": "Read only mode is enabled"})
    assert len(table(made.fetch("/tasks/export"))) == 1


@pytest.mark.parametrize("query", ["format=xml", "search=%22open"])
def test_what_makes_no_sense_is_400(site, query):
    assert site().fetch(f"/tasks/export?{query}").code == 400


def test_another_site_cannot_cause_the_work(site):
    made = site(tasks=tasks(1))
    assert made.fetch("/tasks/export", Sec_Fetch_Site="cross-site").code == 403
    assert made.host.tasks.queries == []


def test_head_reads_no_task(site):
    made = site(tasks=tasks(1))
    assert made.fetch("/tasks/export", "HEAD").headers["Content-Type"] == "text/csv; charset=UTF-8"
    assert made.host.tasks.queries == []
