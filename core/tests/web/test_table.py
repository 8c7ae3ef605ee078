"""Which route a path belongs to, however it is written."""

from __future__ import annotations

from typing import Any

import pytest

from flower.web.table import RouteTable
from flower_plugins import Route
from flower_plugins.web import Handler

ROUTES = [
    Route("/", Handler, "read", "page", "home"),
    Route("/tasks", Handler, "read", "page", "tasks"),
    Route("/task/(?P<id>.+)/revoke", Handler, "write", "page", "revoke"),
    Route("/task/(?P<id>.+)", Handler, "read", "page", "task"),
    Route(r"/static/(?P<plugin>[a-z0-9_]+)/(?P<file>[^\\]+)", Handler, "public", "page", "file"),
]


def found(path: str, prefix: str = "") -> Any:
    match = RouteTable(prefix, [("site", route) for route in ROUTES]).find(path)
    return None if match is None else (match.entry.route.name, *match.path.values())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/tasks", ("tasks",)),
        ("/tasks/", ("tasks",)),
        ("/%74asks", ("tasks",)),
        ("/task/a%2Fb", ("task", "a/b")),
        ("/task/a/b", ("task", "a/b")),
        ("/task/%E6%97%A5", ("task", "日")),
        ("/task/a%0Ab", ("task", "a\nb")),
        ("/task/a%252Fb", ("task", "a%2Fb")),
        ("/task/a%2Frevoke", ("revoke", "a")),
        ("/task/../tasks", ("task", "../tasks")),
        ("/task/%2e%2e%2ftasks", ("task", "../tasks")),
        ("/static/dashboard/%2e%2e%2f%2e%2e%2fetc/passwd", ("file", "dashboard", "../../etc/passwd")),
    ],
)
def test_a_path_is_decoded_once_and_never_shortened(path: str, expected: tuple[str, ...]) -> None:
    """S59: dots are names like any other, and what stands behind an encoded percent sign stays encoded."""
    assert found(path) == expected


@pytest.mark.parametrize(
    "path",
    [
        "//tasks",
        "/./tasks",
        "/x/../tasks",
        "/%2e/tasks",
        "/tasks%00",
        "/task/a%00",
        "/task/%C0%AE%C0%AE%C0%AF",
        "/task/%E0%80%AF",
        "/task/%F0%80%80%AF",
        "/task/%ED%A0%80",
        "/task/%FF",
        "/%2574asks",
        "/static/..%5c..%5cetc",
        "/static/%2e%2e/passwd",
        "tasks",
        "http://localhost/tasks",
        "*",
        "",
    ],
)
def test_what_could_be_read_as_another_path_belongs_to_nothing(path: str) -> None:
    """S59"""
    assert found(path) is None


def test_nothing_leads_out_of_the_prefix() -> None:
    """S59"""
    assert found("/a/b/tasks", "/a/b") == ("tasks",)
    assert found("/a%2Fb/tasks", "/a/b") == ("tasks",)
    for path in ("/tasks", "/a/tasks", "/a/b/../tasks", "/a/bb/tasks", "/a/b%2e%2e/tasks", "//a/b/tasks"):
        assert found(path, "/a/b") is None
