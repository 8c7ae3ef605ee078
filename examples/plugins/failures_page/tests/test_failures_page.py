from __future__ import annotations

import time
from typing import Any

from flower_failures_page import plugin

from flower_dashboard import plugin as dashboard
from flower_dashboard.renderer import JinjaRenderer
from flower_plugins import Problem
from flower_plugins.testing import FakeHost, FakeTask, PluginContract, offer_context, serve


class TestPlugin(PluginContract):
    plugin = plugin


def page(host: FakeHost, path: str = "/failures") -> tuple[int, str]:
    renderer = JinjaRenderer(offer_context(*dashboard.flower_options()))
    renderer.open(host, [assets.templates for assets in (*dashboard.flower_assets(), *plugin.flower_assets())])
    host.renderer = renderer.render

    async def scenario(client: Any) -> tuple[int, str]:
        response = await client.fetch(path)
        return response.code, response.body.decode()

    return serve(host, plugin.flower_routes(), scenario)


def test_the_page_lists_what_failed() -> None:
    host = FakeHost(
        tasks=[FakeTask("id-1", name="shop.pay", state="FAILURE", exception="<no>"), FakeTask("id-2", name="shop.add")]
    )
    host.rollups.now = time.time()
    host.rollups.add("task-failed", number=3, ago=60)
    host.problem_list = [Problem("queue-without-consumer", "warning", "Nobody consumes from celery", "/broker")]
    code, html = page(host)
    assert code == 200
    assert "shop.pay" in html
    assert "<code>&lt;no&gt;</code>" in html
    assert "shop.add" not in html
    assert "Failed 3" in html
    assert '<a href="/broker">Nobody consumes from celery</a>' in html
    assert 'data-stream="/stream?topics=tasks"' in html


def test_the_page_says_when_there_is_nothing_to_see() -> None:
    assert "Nothing failed." in page(FakeHost())[1]


def test_the_fragment_is_the_changing_part_alone() -> None:
    code, html = page(FakeHost(), "/failures?fragment=1")
    assert code == 200
    assert 'id="failures"' in html
    assert "<html" not in html
