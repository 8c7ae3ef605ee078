"""Route patterns as the paths of documentation."""

from __future__ import annotations

import pytest

from flower_api.patterns import paths, placeholders


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("/api/tasks", ["/api/tasks"]),
        (r"/api/openapi\.json", ["/api/openapi.json"]),
        ("/api/task/info/(?P<id>.*)", ["/api/task/info/{id}"]),
        (r"/api/x/(?P<a>[^/)]+(?:b|c))/(?P<d>\)|[]x]+)/?", ["/api/x/{a}/{d}"]),
        ("/api/pool/(?:grow|shrink)/(?P<name>.+)", ["/api/pool/grow/{name}", "/api/pool/shrink/{name}"]),
        ("/a|/b/(c)?d", ["/a", "/b/d", "/b/cd"]),
        ("/", ["/"]),
    ],
)
def test_a_pattern_is_read_as_paths(pattern: str, expected: list[str]) -> None:
    assert paths(pattern) == expected


@pytest.mark.parametrize("pattern", ["/a/.*", "/a/[xy]", r"/\d", "/a+", "/a)", "/(?P<a>x"])
def test_a_pattern_without_certain_paths_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"stands for no single text|not balanced"):
        paths(pattern)


def test_placeholders_keep_their_order() -> None:
    assert placeholders("/api/{b}/x/{a}") == ["b", "a"]
