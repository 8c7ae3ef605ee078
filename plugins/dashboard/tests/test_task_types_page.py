"""Task names in numbers."""

from __future__ import annotations

import pytest


def busy(site):
    made = site()
    rollups = made.host.rollups
    for ago in range(0, 600, 60):
        rollups.add("task-succeeded", task="shop.add", number=9, ago=ago)
        rollups.add("task-failed", task="shop.add", ago=ago)
        rollups.add("task-succeeded", task="mail.send", number=3, ago=ago)
        rollups.measure("runtime", 1.5, task="shop.add", ago=ago)
        rollups.measure("wait", 12.0, task="mail.send", ago=ago)
    return made


def names(page):
    return [word for word in page.text.split() if word in ("shop.add", "mail.send")]


def test_a_row_has_counts_rates_and_durations(site):
    text = busy(site).page("/task-types").text
    for words in ("shop.add 100 10 10 %", "1.50 s", "12.0 s", "2 of 2 task names"):
        assert words in text, words


@pytest.mark.parametrize(
    ("sort_by", "first"),
    [
        ("-ended", "shop.add"),
        ("ended", "mail.send"),
        ("name", "mail.send"),
        ("-wait", "mail.send"),
        ("-runtime", "shop.add"),
    ],
)
def test_every_column_sorts(site, sort_by, first):
    assert names(busy(site).page(f"/task-types?sort_by={sort_by}"))[0] == first


def test_a_search_narrows_and_says_when_nothing_is_left(site):
    assert names(busy(site).page("/task-types?search=MAIL")) == ["mail.send"]
    assert "No task name contains" in busy(site).page("/task-types?search=zzz").text


def test_names_lead_to_their_tasks_and_to_those_that_failed(site):
    links = busy(site).page("/task-types").values("a", "href")
    assert "/tasks?name=shop.add" in links
    assert "/tasks?name=shop.add&state=FAILURE" in links


def test_without_tasks_the_page_says_how_long_numbers_are_kept(site):
    assert "for a day" in site().page("/task-types").text


@pytest.mark.parametrize(
    ("failed", "succeeded", "share"),
    [(100, 0, "100 %"), (199, 1, "100 %"), (99, 1, "99 %"), (1, 199, "0.5 %"), (1, 11, "8.3 %")],
)
def test_shares_are_written_out(site, failed, succeeded, share):
    made = site()
    made.host.rollups.add("task-failed", task="shop.add", number=failed, ago=5)
    made.host.rollups.add("task-succeeded", task="shop.add", number=succeeded, ago=5)
    text = made.page("/task-types").text
    assert f" {share} " in text
    assert "e+" not in text


def test_high_rates_are_written_out(site):
    made = site()
    made.host.rollups.add("task-succeeded", task="shop.add", number=90_000_000, ago=5)
    text = made.page("/task-types").text
    assert "25,000/s" in text
