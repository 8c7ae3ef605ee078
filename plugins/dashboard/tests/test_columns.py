from __future__ import annotations

import pytest

from flower_dashboard import plugin
from flower_dashboard.columns import ALL, DEFAULT, chosen, every, unknown
from flower_plugins import TaskColumn
from flower_plugins.testing import FakeHost


@pytest.mark.parametrize(
    ("setting", "slugs"),
    [
        (DEFAULT, "name uuid state received runtime worker"),
        ("worker,name", "worker name"),
        (" name , UUID ,, state ", "name uuid state"),
        ("name,bogus,__class__,name", "name"),
        ("bogus", "name uuid state received runtime worker"),
        ("", "name uuid state received runtime worker"),
        ("all", " ".join(column.slug for column in ALL)),
        ("name, all", " ".join(column.slug for column in ALL)),
    ],
)
def test_the_setting_names_columns_in_order(setting, slugs):
    assert [column.slug for column in chosen(setting)] == slugs.split()


def test_columns_of_plugins_come_after_ours_and_are_chosen_like_them():
    host = FakeHost()
    host.columns = [TaskColumn("customer", "Customer", lambda task: "acme")]
    there = every(host)
    assert [column.slug for column in there][-2:] == ["eta", "customer"]
    assert not there[-1].sortable
    assert [column.slug for column in chosen("customer, name", there)] == ["customer", "name"]
    assert chosen("all", there) == there
    assert [column.slug for column in chosen("customer,name")] == ["name"]


def test_what_is_no_column_is_named(caplog):
    assert unknown(" nmae, ALL,,name,Foo ", ALL) == ["nmae", "Foo"]
    plugin.flower_routes(FakeHost(options=plugin.flower_options(), tasks_columns="name,nmae"))
    assert "tasks_columns: no column is named nmae; there are name, uuid, state" in caplog.text
