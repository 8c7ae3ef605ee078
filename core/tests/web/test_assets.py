"""Static files: found by their listed names and no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flower.web.assets import AssetFiles, asset_route
from flower_plugins import NotFound
from flower_plugins.testing import Client, FakeHost, serve


@pytest.fixture
def files(tmp_path: Path) -> AssetFiles:
    static = tmp_path / "static"
    (static / "css").mkdir(parents=True)
    (static / "css" / "app.css").write_text("body {}")
    (tmp_path / "secret.txt").write_text("secret")
    (static / "out").symlink_to(tmp_path / "secret.txt")
    return AssetFiles({"dashboard": static})


def ask(files: AssetFiles, path: str) -> tuple[int, Any, Any]:
    async def scenario(client: Client) -> tuple[int, Any, Any]:
        response = await client.fetch(path)
        return response.code, response.body, response.headers

    return serve(FakeHost(), [asset_route(files)], scenario)


def test_a_file_is_served_and_kept_for_good_under_its_hash(files: AssetFiles) -> None:
    """The route is /static/{plugin}/{file}."""
    digest = files.digest("dashboard", "css/app.css")
    code, body, headers = ask(files, f"/static/dashboard/css/app.css?v={digest}")
    assert (code, body) == (200, b"body {}")
    assert headers["Content-Type"].startswith("text/css")
    assert "immutable" in headers["Cache-Control"]
    assert ask(files, "/static/dashboard/css/app.css?v=old")[2]["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/static/dashboard/../secret.txt",
        "/static/dashboard/%2e%2e/secret.txt",
        "/static/dashboard/css/././app.css",
        "/static/dashboard//css/app.css",
        "/static/dashboard/css",
        "/static/dashboard/out",
        "/static/dashboard/",
        "/static/other/css/app.css",
        "/static/dashboard/css/app.css%00",
    ],
)
def test_anything_else_is_not_there(files: AssetFiles, path: str) -> None:
    """S59"""
    assert ask(files, path)[0] == 404


def test_spellings_of_a_path_leave_nothing_behind(files: AssetFiles) -> None:
    for depth in range(100):
        with pytest.raises(NotFound):
            files.read("dashboard", "css/" + "./" * depth + "/app.css")
    files.read("dashboard", "css/app.css")
    assert len(files._loaded) == 1
