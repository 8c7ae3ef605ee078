"""What is refused before anything is broadcast, and the sentences of the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import pytest

from flower.control.commands import ControlService
from flower_plugins import FlowerError, Forbidden, InvalidParameter, NoReply, NotFound, Offline, Unavailable

Order = Callable[[ControlService], Coroutine[Any, Any, Any]]

EVERY_ORDER: list[Order] = [
    lambda control: control.revoke(["a"]),
    lambda control: control.shutdown("w1"),
    lambda control: control.pool_restart("w1"),
    lambda control: control.pool_grow("w1"),
    lambda control: control.pool_shrink("w1"),
]
POOL_ORDERS = ("restart", "grow", "shrink")


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
    wire = Wire(stats={"pool": {"processes": [1, 2]}}, **{f"pool_{name}": {"ok": ""} for name in POOL_ORDERS})
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


@pytest.mark.parametrize("uuids", [[], [""], ["x" * 256], ["x"] * 1001])
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
