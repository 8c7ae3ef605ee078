"""Questions of one reader: shared, spaced, shown through the formatters."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import pytest

from flower.control.inspector import InspectService
from flower.control.questions import Questions
from flower_plugins import Forbidden, InvalidParameter, NoReply, NotFound, Unavailable


class Wire:
    """Answers with fixed replies, and notes the questions."""

    def __init__(self, replies: Mapping[str, Mapping[str, Any]]) -> None:
        self.replies = replies
        self.asked: list[tuple[str, Any, Any]] = []

    async def ask(
        self,
        commands: Mapping[str, Mapping[str, Any]],
        destination: Sequence[str] | None = None,
        *,
        timeout: float = 1.0,
    ) -> dict[str, dict[str, Any]]:
        ((method, arguments),) = commands.items()
        self.asked.append((method, dict(arguments), None if destination is None else list(destination)))
        await asyncio.sleep(0.01)
        return {name: dict(reply) for name, reply in self.replies.items() if destination is None or name in destination}


def ask(wire: Wire, scenario: Callable[[Questions], Coroutine[Any, Any, Any]], spacing: float = 0.0) -> Any:
    def formatted(request: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**request, "args": "hidden"}

    async def main() -> Any:
        return await scenario(Questions(wire, format_request=formatted, spacing=spacing, timeout=1))

    return asyncio.run(main())


HELD = {
    "w1": {"query_task": {"a": ["active", {"id": "a", "args": ["secret"]}], "b": ["reserved", {"id": "b"}]}},
    "w2": {"query_task": {}},
    "w3": {"query_task": {"a": "nonsense", "b": ["x"], "c": [1, {}]}},
    "w4": {"query_task": {"error": "no"}},
    "w5": {"query_task": ["a"]},
}


def test_who_holds_a_task_is_told_without_what_formatters_hide() -> None:
    """S57"""
    found = ask(Wire(HELD), lambda questions: questions.query_task("a"))
    assert found == {"w1": {"state": "active", "request": {"id": "a", "args": "hidden"}}}


def test_questions_of_the_same_moment_are_one() -> None:
    """S51"""
    wire = Wire(HELD)

    async def scenario(questions: Questions) -> list[Any]:
        first = await asyncio.gather(*(questions.query_task(name) for name in "abca"))
        begun = time.monotonic()
        second = await asyncio.gather(*(questions.query_task(str(number)) for number in range(500)))
        assert 0.2 < time.monotonic() - begun < 2
        return [*first, *second]

    found = ask(wire, scenario, spacing=0.3)
    assert [sorted(each) for each in found[:4]] == [["w1"], ["w1"], [], ["w1"]]
    assert [len(arguments["ids"]) for _, arguments, _ in wire.asked] == [3, 500]


def test_one_worker_is_asked_for_its_report_at_most_so_often() -> None:
    wire = Wire({"w1": {"report": {"ok": "broker_url: redis://:secret@h/0"}}})

    async def scenario(questions: Questions) -> None:
        told = await asyncio.gather(*(questions.report("w1") for _ in range(10)))
        assert set(told) == {"broker_url: redis://:********@h/0"}

    ask(wire, scenario, spacing=0.2)
    assert wire.asked == [("report", {}, ["w1"])]


@pytest.mark.parametrize(
    ("method", "reply", "told"),
    [
        ("memsample", "45.5MB", "45.5MB"),
        ("memsample", None, None),
        ("memsample", {"error": "no\nway"}, Forbidden),
        ("report", {"error": "no\nway"}, Forbidden),
        ("report", None, Forbidden),
        ("report", "text", Forbidden),
        ("report", ..., NoReply),
        ("memsample", ..., NoReply),
    ],
)
def test_what_a_worker_answers_is_told_or_refused(method: str, reply: Any, told: Any) -> None:
    wire = Wire({} if reply is ... else {"w1": {method: reply}})
    if isinstance(told, type):
        with pytest.raises(told):
            ask(wire, lambda questions: getattr(questions, method)("w1"))
    else:
        assert ask(wire, lambda questions: getattr(questions, method)("w1")) == told


@pytest.mark.parametrize("uuid", ["", "x" * 256])
def test_what_cannot_be_an_id_is_not_asked_for(uuid: str) -> None:
    wire = Wire(HELD)
    with pytest.raises(InvalidParameter):
        ask(wire, lambda questions: questions.query_task(uuid))
    assert wire.asked == []


def test_a_question_that_fails_fails_for_all_who_wait() -> None:
    class Dead(Wire):
        async def ask(self, *args: Any, **options: Any) -> Any:
            raise Unavailable("Broker or result backend unavailable")

    async def scenario(questions: Questions) -> list[Any]:
        return await asyncio.gather(*(questions.query_task(name) for name in "ab"), return_exceptions=True)

    assert [type(each) for each in ask(Dead({}), scenario)] == [Unavailable] * 2


@pytest.mark.parametrize("method", ["query_task", "report", "memsample"])
def test_nothing_is_asked_when_inspecting_is_off_or_the_worker_unknown(method: str) -> None:
    """S51"""
    wire = Wire(HELD)

    def unknown(hostname: str) -> None:
        if hostname == "nope":
            raise NotFound("Unknown worker 'nope'")

    def service(*, enabled: bool) -> InspectService:
        return InspectService(wire, is_known=lambda _: True, check_worker=unknown, enabled=enabled)

    with pytest.raises(Unavailable, match="--inspect is off"):
        asyncio.run(getattr(service(enabled=False), method)("w1"))
    if method != "query_task":
        with pytest.raises(NotFound):
            asyncio.run(getattr(service(enabled=True), method)("nope"))
    assert wire.asked == []
