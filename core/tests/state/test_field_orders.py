"""Orders by any field against a plain sort, while tasks change, come and go."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from itertools import islice

import pytest

from flower.state import field_orders
from flower.state.changed import ChangeOrder
from flower.state.field_orders import FieldOrders
from flower.state.orders import sort_key
from flower.state.pace import Pace
from flower.state.tasks import TaskRecord


class Model:
    """Tasks in a ChangeOrder whose values change only as they move to its end."""

    def __init__(self) -> None:
        self.changed = ChangeOrder()
        self.records: dict[str, TaskRecord] = {}
        self.version = 0

    def change(self, uuid: str, **fields: object) -> None:
        record = self.records.get(uuid)
        if record is None:
            record = self.records[uuid] = TaskRecord(uuid)
        else:
            self.changed.leave(uuid, record.order)
        for name, value in fields.items():
            setattr(record, name, value)
        self.version = record.order = self.version + 1
        self.changed.enter(record)

    def evict(self) -> None:
        record = self.records.pop(self.changed.oldest())
        self.changed.leave(record.uuid, record.order)

    def some(self, chance: random.Random, number: int, spread: int) -> None:
        for _ in range(number):
            self.change(
                f"{chance.randrange(spread):05}",
                name=chance.choice(["a", "B", "ä", None]),
                runtime=chance.choice([None, chance.random(), 0.5]),
                retries=0,
            )

    def sorted(self, field: str, *, descending: bool) -> list[str]:
        rows = sorted(self.records.values(), key=sort_key(field), reverse=descending)
        return [record.uuid for record in rows]


async def first(orders: FieldOrders, field: str, number: int, *, descending: bool) -> Sequence[str]:
    order = await orders.of(field, Pace(), descending=descending)
    return list(islice(order.walk(), number))


@pytest.mark.parametrize("spread", [300, 20_000])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("field", ["name", "runtime", "retries", "uuid", "sent", "children"])
def test_every_order_is_that_of_a_plain_sort_whatever_happens(field: str, descending: bool, spread: int) -> None:
    chance, model = random.Random(3), Model()
    orders = FieldOrders(model.changed)

    async def scenario() -> None:
        for number in (0, 10, 5_000, 100, 9_000, 3_000, 40_000, 1):
            model.some(chance, number, spread)
            while len(model.records) > 15_000:
                model.evict()
            expected = model.sorted(field, descending=descending)
            for count in (1, 50, 700):
                assert await first(orders, field, count, descending=descending) == expected[:count]
        assert await first(orders, field, 10**6, descending=descending) == expected
        while len(model.records) > 3:
            model.evict()
        expected = model.sorted(field, descending=descending)
        assert await first(orders, field, 10, descending=descending) == expected

    asyncio.run(scenario())


def test_what_changes_while_it_is_looked_into_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flower.state.pace._SLICE", 0.0)
    chance, model = random.Random(4), Model()
    model.some(chance, 60_000, 20_000)
    orders = FieldOrders(model.changed)

    async def scenario() -> int:
        asked = [asyncio.ensure_future(orders.of("runtime", Pace(), descending=True)) for _ in range(2)]
        turns = 0
        while not all(each.done() for each in asked):
            await asyncio.sleep(0)
            model.some(chance, 500, 25_000)
            turns += 1
        order = await orders.of("runtime", Pace(), descending=True)
        assert list(islice(order.walk(), 3000)) == model.sorted("runtime", descending=True)[:3000]
        return turns

    assert asyncio.run(scenario()) > 10


def test_a_second_look_reads_no_more_than_what_came_since_and_the_pieces_on_the_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance, model = random.Random(5), Model()
    model.some(chance, 60_000, 40_000)
    orders = FieldOrders(model.changed)
    asyncio.run(first(orders, "runtime", 5, descending=True))
    looked_at: list[int] = []
    head = field_orders.FieldOrder._head
    monkeypatch.setattr(
        field_orders.FieldOrder, "_head", lambda self, piece: looked_at.append(len(piece)) or head(self, piece)
    )
    asyncio.run(first(orders, "runtime", 5, descending=True))
    assert not looked_at
    model.some(chance, 5_000, 40_000)
    asyncio.run(first(orders, "runtime", 5, descending=True))
    assert len(looked_at) in (2, 3)


def test_orders_that_nobody_looks_at_are_given_up() -> None:
    now = [0.0]
    model = Model()
    model.some(random.Random(6), 100, 100)
    orders = FieldOrders(model.changed, lambda: now[0])

    fields = ("name", "runtime", "uuid", "retries", "sent", "args", "kwargs", "result", "worker")

    async def scenario() -> None:
        for at, field in enumerate(fields):
            now[0] = float(at)
            await first(orders, field, 3, descending=True)
        assert ("name", True) not in orders.live
        assert len(orders.live) == 8
        now[0] = 3602.5
        orders.expire()
        assert [field for field, _ in orders.live] == list(fields[3:])

    asyncio.run(scenario())
