from __future__ import annotations

import pytest

from flower_dashboard.columns import ALL, DEFAULT, chosen


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
