"""S53: exactly one record for each attempt, whoever makes it and however it ends."""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
from typing import Any

import pytest

from flower import audit


@pytest.fixture
def records(caplog: pytest.LogCaptureFixture) -> Any:
    caplog.set_level(logging.INFO, "flower.audit")
    return lambda: [json.loads(record.getMessage()) for record in caplog.records if record.name == "flower.audit"]


def attempt(*, due: bool = True) -> audit.Attempt:
    return audit.Attempt(identity="ann", address="::1", method="POST", action="act", target="/act", due=due)


def test_an_attempt_is_recorded_once(records: Any) -> None:
    tried = attempt()
    tried.end("ok", "abc")
    tried.end("failed: 500")
    (line,) = records()
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "identity": "ann",
        "address": "::1",
        "method": "POST",
        "action": "act",
        "target": "/act",
        "parameters": "abc",
        "orders": [],
        "outcome": "ok",
    }


def test_a_request_that_only_reads_leaves_no_record(records: Any) -> None:
    attempt(due=False).end("ok")
    assert records() == []


def test_an_order_on_behalf_of_a_request_that_promised_to_read_is_recorded(records: Any) -> None:
    def handle() -> None:
        tried = attempt(due=False)
        audit.begin(tried)
        with audit.order("revoke", ["a", "b"]):
            pass
        tried.end("ok")

    contextvars.copy_context().run(handle)
    (line,) = records()
    assert (line["identity"], line["action"], line["orders"]) == ("ann", "act", ["revoke a b"])


def test_orders_of_a_request_are_in_its_one_record(records: Any) -> None:
    async def handle() -> None:
        tried = attempt()
        audit.begin(tried)
        await asyncio.gather(give("w1"), give("w2"))
        tried.end("ok")

    async def give(worker: str) -> None:
        with audit.order("shutdown", [worker]):
            await asyncio.sleep(0)

    asyncio.run(handle())
    (line,) = records()
    assert line["orders"] == ["shutdown w1", "shutdown w2"]


def test_an_order_that_nobody_asked_for_has_a_record_of_its_own(records: Any) -> None:
    with audit.order("shutdown", ["w1"]):
        pass
    with pytest.raises(ValueError, match="no"), audit.order("shutdown", ["w2"]):
        raise ValueError("no")
    assert [(line["target"], line["outcome"], line["method"]) for line in records()] == [
        ("w1", "ok", ""),
        ("w2", "failed: ValueError: no", ""),
    ]


def test_an_order_after_the_answer_names_who_asked(records: Any) -> None:
    def handle() -> None:
        tried = attempt(due=False)
        audit.begin(tried)
        tried.end("ok")
        with audit.order("shutdown", ["w1"]):
            pass

    contextvars.copy_context().run(handle)
    (line,) = records()
    assert (line["identity"], line["address"], line["action"]) == ("ann", "::1", "shutdown")


def test_names_cannot_forge_a_second_line(caplog: pytest.LogCaptureFixture) -> None:
    """S52"""
    caplog.set_level(logging.INFO, "flower.audit")
    with audit.order("revoke", ["a\n{}\r\x1b[31m\u2028"]):
        pass
    (record,) = caplog.records
    assert record.getMessage().isprintable()


def test_every_task_of_a_large_order_is_named(records: Any) -> None:
    """S53"""
    tried = attempt()
    uuids = [f"{number:036d}" for number in range(1000)]
    tried.give(f"revoke {' '.join(uuids)}")
    tried.end("ok")
    assert records()[0]["orders"] == [f"revoke {' '.join(uuids)}"]


def test_a_record_is_bounded_and_says_so(records: Any) -> None:
    tried = attempt()
    for number in range(1000):
        tried.give(f"{number} " + "x" * 5000)
    tried.end("y" * 5000)
    (line,) = records()
    assert len(json.dumps(line)) < 110_000
    assert line["orders"][-1] == "… and 4939890 characters more"
