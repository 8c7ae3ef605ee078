"""The order of change against a plain list."""

from __future__ import annotations

import random
from itertools import islice

import pytest

from flower.state.changed import SHIFT, ChangeOrder
from flower.state.tasks import TaskRecord


class Model:
    """Tasks that change, in a ChangeOrder and in a dict that is never taken apart."""

    def __init__(self) -> None:
        self.order = ChangeOrder()
        self.records: dict[str, TaskRecord] = {}
        self.version = 0

    def change(self, uuid: str) -> None:
        self.version += 1
        record = self.records.pop(uuid, None)
        if record is None:
            record = TaskRecord(uuid)
        else:
            self.order.leave(uuid, record.order)
        record.order = self.version
        self.records[uuid] = record
        self.order.enter(record)

    def evict(self) -> None:
        uuid = self.order.oldest()
        assert uuid == next(iter(self.records))
        self.order.leave(uuid, self.records.pop(uuid).order)


@pytest.mark.parametrize("spread", [40, 3_000])
def test_every_place_and_the_oldest_are_those_of_a_plain_list(spread: int) -> None:
    chance, model = random.Random(7), Model()
    for turn in range(12_000):
        model.change(f"{chance.randrange(spread):05}")
        if chance.random() < 0.3 and len(model.records) > spread // 2:
            model.evict()
        if turn % 1_000 == 0:
            newest_first = list(reversed(model.records))
            assert list(model.order.walk()) == model.order.ids() == newest_first
            for start in (0, 1, len(newest_first) // 2, len(newest_first) - 1, len(newest_first), 10**9):
                assert list(islice(model.order.walk(start), 5)) == newest_first[start : start + 5]
            middle = model.records[newest_first[len(newest_first) // 3]].order
            for order in (middle, middle + 1, 0, 10**18):
                expected = [uuid for uuid in newest_first if model.records[uuid].order < order]
                assert list(model.order.walk_before(order)) == expected
    while model.records:
        model.evict()
    assert list(model.order.walk()) == []
    with pytest.raises(StopIteration):
        model.order.oldest()


def test_pieces_that_nobody_is_in_are_not_kept() -> None:
    model = Model()
    for _ in range(50):
        for number in range(1 << SHIFT):
            model.change(str(number))
    assert len(model.order._pieces) <= 3
