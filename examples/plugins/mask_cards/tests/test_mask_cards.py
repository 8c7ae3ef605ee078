from __future__ import annotations

import pytest
from flower_mask_cards import plugin
from flower_mask_cards.plugin import MaskCards, mask

from flower_plugins import EditableTask
from flower_plugins.testing import FakeTask, PluginContract, TaskFormatterContract


class TestPlugin(PluginContract):
    plugin = plugin


class TestFormatter(TaskFormatterContract):
    def make(self) -> MaskCards:
        return MaskCards()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("('4111 1111 1111 1111', 3)", "('**** 1111', 3)"),
        ("4111-1111-1111-1234", "**** 1234"),
        ("order 1234567", "order 1234567"),
        (4111111111111111, "**** 1111"),
        (None, None),
        ([1, 2], [1, 2]),
    ],
)
def test_card_numbers_keep_their_last_four_digits(before: object, after: object) -> None:
    assert mask(before) == after


def test_keyword_arguments_are_masked_one_by_one() -> None:
    task = EditableTask(FakeTask("a"), kwargs={"card": "4111111111111111", "items": [1]})
    MaskCards().format(task)
    assert task.kwargs == {"card": "**** 1111", "items": [1]}
