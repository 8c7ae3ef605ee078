"""What is refused before anything is broadcast, and the sentences of the answers."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import pytest

from flower.control.commands import ControlService
from flower_plugins import (
    FlowerError,
    Forbidden,
    InvalidParameter,
    NoReply,
    NotFound,
    Offline,
    TaskCall,
    Unavailable,
)

Order = Callable[[ControlService], Coroutine[Any, Any, Any]]

EVERY_ORDER: list[Order] = [
    lambda control: control.revoke(["a"]),
    lambda control: control.shutdown("w1"),
    lambda control: control.pool_restart("w1"),
    lambda control: control.pool_grow("w1"),
    lambda control: control.pool_shrink("w1"),
    lambda control: control.autoscale("w1", 1, 3),
    lambda control: control.add_consumer("w1", "mail"),
    lambda control: control.cancel_consumer("w1", "mail"),
    lambda control: control.time_limit("w1", "shop.add", soft=1),
    lambda control: control.rate_limit("w1", "shop.add", "1/m"),
]
ANSWERED = (
    "pool_restart pool_grow pool_shrink autoscale add_consumer cancel_consumer time_limit rate_limit registered".split()
)


class Wire:
    """Records what is broadcast and answers with fixed replies."""

    def __init__(self, **replies: Any) -> None:
        self.replies = replies
        self.sent: list[tuple[str, dict[str, Any], tuple[str, ...] | None]] = []

    async def cast(
        self, method: str, arguments: Mapping[str, Any] | None = None, destination: Sequence[str] | None = None
    ) -> None:
        self._record(method, arguments or {}, destination)

    async def ask(
        self,
        commands: Mapping[str, Mapping[str, Any]],
        destination: Sequence[str] | None = None,
        *,
        timeout: float = 1.0,
    ) -> dict[str, dict[str, Any]]:
        await asyncio.sleep(0)
        for method, arguments in commands.items():
            self._record(method, arguments, destination)
        replies = {method: self.replies[method] for method in commands if method in self.replies}
        return {name: dict(replies) for name in destination or () if replies}

    def _record(self, method: str, arguments: Mapping[str, Any], destination: Sequence[str] | None) -> None:
        self.sent.append((method, dict(arguments), None if destination is None else tuple(destination)))


def give(order: Order, wire: Wire, **options: Any) -> Any:
    known = {"is_known": {"w1", "gone"}.__contains__, "is_online": {"w1"}.__contains__, "stream_up": lambda: True}
    return asyncio.run(order(ControlService(wire, **{**known, **options})))


class DeadWire(Wire):
    """A broker out of reach."""

    def _record(self, method: str, arguments: Mapping[str, Any], destination: Sequence[str] | None) -> None:
        raise Unavailable("Broker or result backend unavailable")


def refused(order: Order, wire: Wire, **options: Any) -> FlowerError:
    with pytest.raises(FlowerError) as caught:
        give(order, wire, **options)
    return caught.value


@pytest.mark.parametrize("order", EVERY_ORDER)
def test_read_only_mode_refuses_every_order(order: Order) -> None:
    """S55."""
    wire = Wire()
    error = refused(order, wire, read_only=True, is_known=lambda _: False)
    assert (type(error), error.message, wire.sent) == (Forbidden, "Read only mode is enabled", [])


@pytest.mark.parametrize("order", EVERY_ORDER[1:])
def test_an_unknown_worker_is_not_found(order: Order) -> None:
    wire = Wire()
    error = refused(order, wire, is_known=lambda _: False)
    assert (type(error), error.message, wire.sent) == (NotFound, "Unknown worker 'w1'", [])


@pytest.mark.parametrize("order", EVERY_ORDER[1:])
def test_a_worker_that_is_gone_is_offline(order: Order) -> None:
    """R29."""
    wire = Wire()
    error = refused(order, wire, is_online=lambda _: False)
    assert (type(error), wire.sent) == (Offline, [])


@pytest.mark.parametrize("order", EVERY_ORDER[1:])
def test_without_events_nobody_is_called_offline_and_the_broker_answers(order: Order) -> None:
    """While the broker is frozen every worker falls silent."""
    silent: dict[str, Any] = {"is_online": lambda _: False, "stream_up": lambda: False}
    assert type(refused(order, DeadWire(), **silent)) is Unavailable
    wire = Wire(stats={"pool": {"processes": [1, 2]}}, **{name: {"ok": ""} for name in ANSWERED})
    give(order, wire, **silent)
    assert wire.sent


@pytest.mark.parametrize("n", [0, -1, 1001])
@pytest.mark.parametrize("method", ["pool_grow", "pool_shrink"])
def test_absurd_numbers_are_refused(method: str, n: int) -> None:
    """S61."""
    wire = Wire()
    error = refused(lambda control: getattr(control, method)("w1", n), wire)
    assert (type(error), wire.sent) == (InvalidParameter, [])


@pytest.mark.parametrize("signal", ["SIGFOO", "", "9", "SIGSTOP", "SIGKILL\n; x", "__class__"])
def test_signals_that_are_not_listed_are_refused(signal: str) -> None:
    """S61."""
    wire = Wire()
    error = refused(lambda control: control.revoke(["a"], terminate=True, signal=signal), wire)
    assert (type(error), wire.sent) == (InvalidParameter, [])


@pytest.mark.parametrize(("signal", "sent"), [("SIGKILL", "SIGKILL"), ("kill", "SIGKILL"), ("SigUsr1", "SIGUSR1")])
def test_a_task_is_revoked_everywhere(signal: str, sent: str) -> None:
    wire = Wire()
    give(lambda control: control.revoke(["a", "b"], terminate=True, signal=signal), wire)
    assert wire.sent == [("revoke", {"task_id": ["a", "b"], "terminate": True, "signal": sent}, None)]


def test_it_is_known_which_tasks_were_revoked_and_when() -> None:
    asked: list[object] = []

    async def order(control: ControlService) -> None:
        began = time.time()
        assert control.revoked_at("a") is None
        await control.revoke(["a", "b"])
        asked.append(began <= (control.revoked_at("a") or 0) <= time.time())
        for start in range(0, 10_000, 1000):
            await control.revoke(["b", *(f"t{start + n}" for n in range(999))])
        asked.extend(control.revoked_at(each) is not None for each in ("a", "b"))
        await control.revoke([f"more{n}" for n in range(1000)])
        asked.append(control.revoked_at("a"))
        asked.append(control.revoked_at("b") is not None)

    give(order, Wire())
    assert asked == [True, True, True, None, True]


@pytest.mark.parametrize("uuids", [[], [""], ["x" * 256], ["x"] * 1001, ["a\nb"], ["a", "\x1b[31m"]])
def test_task_ids_have_bounds(uuids: list[str]) -> None:
    wire = Wire()
    error = refused(lambda control: control.revoke(uuids), wire)
    assert (type(error), wire.sent) == (InvalidParameter, [])


def test_shutdown_goes_to_one_worker_alone() -> None:
    wire = Wire()
    give(lambda control: control.shutdown("w1"), wire)
    assert wire.sent == [("shutdown", {}, ("w1",))]


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        (lambda control: control.pool_restart("w1"), "Restarting 'w1' worker's pool"),
        (lambda control: control.pool_grow("w1", 2), "Growing 'w1' worker's pool by 2"),
        (lambda control: control.pool_shrink("w1", 2), "Shrinking 'w1' worker's pool by 2"),
    ],
)
def test_the_answers_are_those_of_flower_2(order: Order, sentence: str) -> None:
    stats = {"pool": {"processes": [1, 2, 3]}}
    ok = {"ok": "done"}
    assert give(order, Wire(pool_restart=ok, pool_grow=ok, pool_shrink=ok, stats=stats)) == sentence


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        (lambda control: control.pool_restart("w1"), "Failed to restart the 'w1' pool: no\\ [31m"),
        (lambda control: control.pool_grow("w1"), "Failed to grow 'w1' worker's pool: no\\ [31m"),
        (lambda control: control.pool_shrink("w1"), "Failed to shrink 'w1' worker's pool: no\\ [31m"),
    ],
)
def test_a_refusal_by_the_worker_carries_its_words_in_one_line(order: Order, sentence: str) -> None:
    no = {"error": "no\\\n\x1b[31m"}
    error = refused(order, Wire(pool_restart=no, pool_grow=no, pool_shrink=no, stats={}))
    assert (type(error), error.message) == (Forbidden, sentence)


@pytest.mark.parametrize("reply", [None, [], "ok", {}, {"error": None}, 5])
def test_an_answer_that_says_nothing_is_no_success(reply: Any) -> None:
    error = refused(lambda control: control.pool_grow("w1"), Wire(pool_grow=reply))
    assert (type(error), error.message) == (Forbidden, "Failed to grow 'w1' worker's pool: Unknown reason")


@pytest.mark.parametrize("order", EVERY_ORDER[2:])
def test_silence_is_no_reply(order: Order) -> None:
    """R29."""
    assert isinstance(refused(order, Wire()), NoReply)


@pytest.mark.parametrize(
    ("pool", "n", "allowed"),
    [
        ({"processes": [1, 2, 3]}, 2, True),
        ({"processes": [1, 2, 3]}, 3, False),
        ({"processes": [1]}, 1, False),
        ({"max-concurrency": 4}, 3, True),
        ({"max-concurrency": 4}, 4, False),
        ({"max-concurrency": "many"}, 4, True),
        (None, 4, True),
    ],
)
def test_the_last_process_is_never_removed(pool: Any, n: int, allowed: bool) -> None:
    wire = Wire(stats={"pool": pool}, pool_shrink={"ok": "done"})
    order: Order = lambda control: control.pool_shrink("w1", n)  # noqa: E731
    if allowed:
        give(order, wire)
    else:
        assert isinstance(refused(order, wire), InvalidParameter)
    assert ("pool_shrink" in [method for method, _, _ in wire.sent]) is allowed


SIMPLE: list[tuple[Order, str, dict[str, Any], str, str, bool]] = [
    (
        lambda control: control.autoscale("w1", 1, 3),
        "autoscale",
        {"min": 1, "max": 3},
        "Autoscaling 'w1' worker (min=1, max=3)",
        "Failed to autoscale 'w1' worker",
        False,
    ),
    (
        lambda control: control.add_consumer("w1", "a&b"),
        "add_consumer",
        {"queue": "a&b", "exchange": None, "exchange_type": "direct", "routing_key": None},
        "done",
        "Failed to add 'a&b' consumer to 'w1' worker",
        False,
    ),
    (
        lambda control: control.cancel_consumer("w1", "a&b"),
        "cancel_consumer",
        {"queue": "a&b"},
        "done",
        "Failed to cancel 'a&b' consumer from 'w1' worker",
        False,
    ),
    (
        lambda control: control.time_limit("w1", "shop.add", soft=1.5, hard=3),
        "time_limit",
        {"task_name": "shop.add", "soft": 1.5, "hard": 3},
        "done",
        "Failed to set timeouts",
        True,
    ),
    (
        lambda control: control.rate_limit("w1", "shop.add", "10/m"),
        "rate_limit",
        {"task_name": "shop.add", "rate_limit": "10/m"},
        "done",
        "Failed to set rate limit",
        True,
    ),
]


@pytest.mark.parametrize(("order", "method", "arguments", "sentence", "failed", "quoted"), SIMPLE)
def test_orders_reach_one_worker_and_end_in_the_words_of_flower_2(
    order: Order, method: str, arguments: dict[str, Any], sentence: str, failed: str, quoted: bool
) -> None:
    wire = Wire(**{method: {"ok": "done"}})
    assert give(order, wire) == sentence
    assert wire.sent == [(method, arguments, ("w1",))]
    error = refused(order, Wire(**{method: {"error": "no"}}))
    assert (type(error), error.message) == (Forbidden, f"{failed}: 'no'" if quoted else f"{failed}: no")


@pytest.mark.parametrize(
    ("given", "has", "sent"),
    [
        ({"soft": 5.0}, "shop.add [time_limit=100.0 soft_time_limit=30.0]", (5.0, 100.0)),
        ({"soft": 5.0}, "shop.add [soft_time_limit=30.0 time_limit=100]", (5.0, 100.0)),
        ({"hard": 50.0}, "shop.add [soft_time_limit=30.0]", (30.0, 50.0)),
        ({"hard": 50.0}, "shop.add", (None, 50.0)),
        ({"soft": 0.0}, "shop.add [time_limit=100.0 soft_time_limit=30.0]", (None, 100.0)),
        ({"hard": 0.0}, "shop.add [time_limit=100.0 soft_time_limit=30.0]", (30.0, None)),
        ({"soft": 5.0}, "shop.addition [time_limit=100.0]", (5.0, None)),
        ({"soft": 5.0}, "shop.add [time_limit=soon]", (5.0, None)),
        ({}, "shop.add [time_limit=100.0]", (None, None)),
    ],
)
def test_one_limit_keeps_the_other(given: dict[str, float], has: str, sent: tuple[float | None, float | None]) -> None:
    wire = Wire(registered=["other [time_limit=1]", has], time_limit={"ok": "done"})
    give(lambda control: control.time_limit("w1", "shop.add", **given), wire)
    method, arguments, _ = wire.sent[-1]
    assert (method, arguments["soft"], arguments["hard"]) == ("time_limit", *sent)
    assert len(wire.sent) == (2 if given else 1)


def test_a_soft_limit_above_the_hard_one_that_stays_is_refused() -> None:
    wire = Wire(registered=["shop.add [time_limit=10.0]"], time_limit={"ok": "done"})
    error = refused(lambda control: control.time_limit("w1", "shop.add", soft=20), wire)
    assert (type(error), error.message) == (
        InvalidParameter,
        "Failed to set timeouts: the soft limit 20 is above the hard limit 10",
    )
    assert [method for method, _, _ in wire.sent] == ["registered"]


ABSURD: list[Order] = [
    lambda control: control.autoscale("w1", -1, 3),
    lambda control: control.autoscale("w1", 4, 3),
    lambda control: control.autoscale("w1", 0, 0),
    lambda control: control.autoscale("w1", 1, 1001),
    lambda control: control.add_consumer("w1", ""),
    lambda control: control.add_consumer("w1", "x" * 256),
    lambda control: control.add_consumer("w1", "\u00fc" * 128),
    lambda control: control.add_consumer("w1", "a\nb"),
    lambda control: control.add_consumer("w1", "amq.gen"),
    lambda control: control.cancel_consumer("w1", "\0"),
    lambda control: control.time_limit("w1", "shop.add", soft=-1, hard=2),
    lambda control: control.time_limit("w1", "shop.add", soft=float("nan"), hard=2),
    lambda control: control.time_limit("w1", "shop.add", soft=1, hard=float("inf")),
    lambda control: control.time_limit("w1", "shop.add", soft=3, hard=2),
    lambda control: control.time_limit("w1", "shop.add", soft=1, hard=1e12),
    lambda control: control.time_limit("w1", "", soft=1, hard=2),
    lambda control: control.rate_limit("w1", "shop.add", "nan"),
    lambda control: control.rate_limit("w1", "shop.add", "-1/m"),
    lambda control: control.rate_limit("w1", "shop.add", "inf/s"),
    lambda control: control.rate_limit("w1", "shop.add", "1e300"),
    lambda control: control.rate_limit("w1", "shop.add", ""),
    lambda control: control.revoke_by_stamps({}),
    lambda control: control.revoke_by_stamps({"a": []}),
    lambda control: control.revoke_by_stamps({"": ["x"]}),
    lambda control: control.revoke_by_stamps({"a": ["x" * 256]}),
    lambda control: control.revoke_by_stamps({str(n): ["x"] for n in range(21)}),
    lambda control: control.revoke_by_stamps({"a": ["x"]}, signal="SIGFOO"),
]


@pytest.mark.parametrize("order", ABSURD)
def test_what_makes_no_sense_is_not_sent(order: Order) -> None:
    """S61"""
    wire = Wire(**{name: {"ok": ""} for name in ANSWERED})
    error = refused(order, wire)
    assert (type(error), wire.sent) == (InvalidParameter, [])


def test_a_rate_that_is_none_is_for_the_worker_to_refuse() -> None:
    wire = Wire(rate_limit={"error": "Invalid rate limit string"})
    assert isinstance(refused(lambda control: control.rate_limit("w1", "shop.add", "garbage"), wire), Forbidden)


def test_tasks_are_revoked_by_their_stamps_everywhere() -> None:
    wire = Wire()
    give(lambda control: control.revoke_by_stamps({"tenant": ["a", "b"]}, terminate=True, signal="kill"), wire)
    assert wire.sent == [
        (
            "revoke_by_stamped_headers",
            {"headers": {"tenant": ["a", "b"]}, "terminate": True, "signal": "SIGKILL"},
            None,
        )
    ]


class Press:
    """Publishes nothing, and knows one task."""

    def __init__(self) -> None:
        self.calls: list[tuple[TaskCall, bool]] = []

    def has_task(self, name: str) -> bool:
        return name == "shop.add"

    async def publish(self, call: TaskCall, *, registered: bool) -> str:
        self.calls.append((call, registered))
        return call.task_id


def test_tasks_of_the_app_are_applied_and_any_is_sent() -> None:
    press = Press()
    known, unknown = TaskCall("shop.add", task_id="a"), TaskCall("nope", task_id="b")
    assert give(lambda control: control.apply_task(known), Wire(), publisher=press) == "a"
    assert give(lambda control: control.send_task(unknown), Wire(), publisher=press) == "b"
    error = refused(lambda control: control.apply_task(unknown), Wire(), publisher=press)
    assert (type(error), error.message) == (NotFound, "Unknown task 'nope'")
    assert press.calls == [(known, True), (unknown, False)]


def test_the_audit_names_the_task_that_was_published(caplog: pytest.LogCaptureFixture) -> None:
    """S53"""
    caplog.set_level("INFO", "flower.audit")
    task_id = give(lambda control: control.send_task(TaskCall("nope")), Wire(), publisher=Press())
    assert len(task_id) == 36
    assert f"nope {task_id}" in caplog.text


@pytest.mark.parametrize("order", ["send_task", "apply_task"])
def test_read_only_mode_publishes_nothing(order: str) -> None:
    """S55"""
    press = Press()
    call = TaskCall("shop.add")
    error = refused(lambda control: getattr(control, order)(call), Wire(), publisher=press, read_only=True)
    assert (type(error), press.calls) == (Forbidden, [])


def test_a_task_is_known_to_the_app_or_to_the_worker() -> None:
    registered = {"w1": ["shop.mail", "shop.pay [rate_limit=1/m]", None]}
    control = ControlService(
        Wire(),
        is_known=lambda _: True,
        is_online=lambda _: True,
        stream_up=lambda: True,
        publisher=Press(),
        registered=lambda name: registered.get(name, ()),
    )
    for name in ("shop.add", "shop.mail", "shop.pay"):
        control.check_task(name, "w1")
    for name, worker in (("shop.mail", None), ("shop.mail", "w2"), ("shop.p", "w1"), ("", "w1")):
        with pytest.raises(NotFound):
            control.check_task(name, worker)


@pytest.mark.parametrize("order", EVERY_ORDER)
def test_every_order_is_in_the_audit(order: Order, caplog: pytest.LogCaptureFixture) -> None:
    """S53"""
    caplog.set_level(logging.INFO, "flower.audit")
    give(order, Wire(stats={}, **{name: {"ok": ""} for name in ANSWERED}))
    refused(order, Wire(), read_only=True)
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "flower.audit"]
    assert [line["outcome"] for line in lines] == ["ok", "failed: Forbidden: Read only mode is enabled"]
    assert lines[0]["target"].split()[0] in ("w1", "a")


@pytest.mark.parametrize("order", ["pool_grow", "pool_shrink"])
def test_orders_to_one_worker_wait_for_their_turn_but_not_for_long(order: str) -> None:
    """R19"""

    class Slow(Wire):
        async def ask(self, commands: Any, destination: Any = None, *, timeout: float = 1.0) -> Any:
            await asyncio.sleep(0.4)
            return await super().ask(commands, destination, timeout=timeout)

    wire = Slow(stats={"pool": {"processes": [1, 2, 3]}}, pool_grow={"ok": ""}, pool_shrink={"ok": ""})
    control = ControlService(
        wire, is_known=lambda _: True, is_online=lambda _: True, stream_up=lambda: True, timeout=-0.3
    )

    async def scenario() -> list[Any]:
        orders = [getattr(control, order)("w1") for _ in range(6)]
        other = control.pool_grow("w2")
        return await asyncio.wait_for(asyncio.gather(*orders, other, return_exceptions=True), 3)

    *ended, other = asyncio.run(scenario())
    assert isinstance(other, str)
    assert {type(each) for each in ended} == {str, Unavailable}
