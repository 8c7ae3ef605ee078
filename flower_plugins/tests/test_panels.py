from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from flower_plugins import DrawnPanel, TaskPanel
from flower_plugins.testing import FakeTask

TASK = FakeTask("a")


def render(template: str, names: Mapping[str, Any]) -> str | None:
    return None if template == "none.html" else f"{template} {sorted(names)} {names['task'].uuid}"


def draw(content: Any, template: str = "") -> DrawnPanel | None:
    made = None if content is None else lambda task: content
    return TaskPanel("p", "P", made, template).draw(TASK, render, {"visit": 1})


def test_a_text_and_facts_are_bounded() -> None:
    text = draw("x" * 70_000)
    assert text is not None
    assert len(text.text) == 65_536
    facts = draw(dict.fromkeys(range(200), "y" * 5000))
    assert facts is not None
    assert len(facts.facts) == 100
    assert facts.facts[0] == ("0", "y" * 4095 + "…")


def test_facts_are_texts_and_what_is_none_is_empty() -> None:
    assert draw({"A": None, "B": 0, "C": ["x"]}) == DrawnPanel("p", "P", facts=[("A", ""), ("B", "0"), ("C", "['x']")])


def test_a_template_sees_the_task_the_content_and_the_names_of_the_page() -> None:
    assert draw({"href": "/x", "task": 5}, "p.html") == DrawnPanel("p", "P", html="p.html ['href', 'task', 'visit'] a")
    assert draw(None, "p.html") == DrawnPanel("p", "P", html="p.html ['task', 'visit'] a")


def test_without_content_or_renderer_there_is_no_panel() -> None:
    assert TaskPanel("p", "P", lambda task: None, "p.html").draw(TASK, render, {}) is None
    assert draw({}, "none.html") is None


@pytest.mark.parametrize(("content", "template"), [(5, ""), (["a"], ""), ("text", "p.html")])
def test_content_of_another_type_is_an_error(content: Any, template: str) -> None:
    with pytest.raises(TypeError, match="panel 'p'"):
        draw(content, template)
