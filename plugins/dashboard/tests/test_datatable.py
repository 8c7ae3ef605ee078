"""BEHAVIOUR of `/tasks/datatable`, which scripts for older Flowers read."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from flower_plugins.testing import FakeTask

ASKED = {"draw": 7, "start": 0, "length": 10, "order[0][column]": 0}


def url(**changes):
    return "/tasks/datatable?" + urlencode({**ASKED, **changes})


def tasks():
    return [FakeTask(f"t{n}", name=f"shop.{'ab'[n % 2]}", received=1_700_000_000.0 + n) for n in range(5)]


def test_the_answer_has_every_field_of_the_tasks(site):
    made = site(tasks=tasks())
    answer = made.json(url())
    assert {key: answer[key] for key in answer if key != "data"} == {
        "draw": 7,
        "recordsTotal": 5,
        "recordsFiltered": 5,
    }
    assert answer["data"][0] == made.host.tasks.get("t4").fields()


def test_post_is_get(site):
    made = site(tasks=tasks())
    response = made.fetch(
        "/tasks/datatable", "POST", urlencode(ASKED), Content_Type="application/x-www-form-urlencoded"
    )
    assert response.code == 200
    assert response.body == made.fetch(url()).body


@pytest.mark.parametrize("missing", ASKED)
def test_the_numbers_are_required(site, missing):
    asked = {key: value for key, value in ASKED.items() if key != missing}
    response = site().fetch("/tasks/datatable?" + urlencode(asked))
    assert (response.code, response.body.decode()) == (400, f"Missing argument {missing}")


@pytest.mark.parametrize("name", ASKED)
def test_the_numbers_are_numbers(site, name):
    assert site().fetch(url(**{name: "x"})).code == 400


@pytest.mark.parametrize(
    ("direction", "first"),
    [("asc", "t0"), ("desc", "t4"), ("DESC", "t0"), ("", "t0")],
)
def test_desc_alone_descends(site, direction, first):
    answer = site(tasks=tasks()).json(url(**{"columns[0][data]": "received", "order[0][dir]": direction}))
    assert answer["data"][0]["uuid"] == first


def test_the_column_number_chooses_among_the_columns(site):
    asked = {"order[0][column]": 2, "columns[0][data]": "name", "columns[2][data]": "received"}
    assert site(tasks=tasks()).json(url(**asked))["data"][0]["uuid"] == "t0"


@pytest.mark.parametrize("field", ["", "__class__", "fields", "bogus"])
def test_an_odd_sort_field_gives_the_usual_order(site, field):
    made = site(tasks=tasks())
    assert len(made.json(url(**{"columns[0][data]": field}))["data"]) == 5
    assert made.host.tasks.queries[0].sort_by == ""


@pytest.mark.parametrize(("length", "number"), [(2, 2), (0, 0), (-1, 0), (10**6, 5)])
def test_length(site, length, number):
    answer = site(tasks=tasks()).json(url(length=length))
    assert len(answer["data"]) == number
    assert answer["recordsFiltered"] == 5


def test_a_negative_start_is_the_beginning(site):
    assert len(site(tasks=tasks()).json(url(start=-3))["data"]) == 5


def test_search_narrows(site):
    answer = site(tasks=tasks()).json(url(**{"search[value]": "shop.b"}))
    assert (answer["recordsTotal"], answer["recordsFiltered"]) == (5, 2)


def test_a_search_that_cannot_be_read_is_told_with_200(site):
    answer = site(tasks=tasks()).json(url(**{"search[value]": '"open'}))
    assert answer == {
        "draw": 7,
        "data": [],
        "recordsTotal": 5,
        "recordsFiltered": 0,
        "searchError": "Unterminated quoted phrase at position 0.",
    }


def test_a_task_whose_worker_is_lost_has_a_field_more(site):
    """R31"""
    made = site(tasks=tasks())
    made.host.tasks.lost = {"t4"}
    lost = [row["uuid"] for row in made.json(url())["data"] if row.get("worker_lost")]
    assert lost == ["t4"]
